import { expect, test } from 'vitest'
import { ref } from 'vue'
import type { Tab } from './ordering'
import { useOpenedFrom } from './useOpenedFrom'

function desk(id: string, tab: Tab, stands: Tab | null) {
  const [opened, shown, standing] = [ref(id), ref(tab), ref(stands)]
  return { opened, shown, standing, from: useOpenedFrom(opened, shown, () => standing.value) }
}

test('an answered conversation stays in the list it was opened from until it is left', () => {
  const { opened, standing, from } = desk('a', 'open', 'open')
  standing.value = 'waiting'
  expect(from.value).toBe('open')
  standing.value = null
  expect(from.value).toBe('open')
  opened.value = ''
  expect(from.value).toBeNull()
})

test('where it really stands counts as soon as the agent looks there', () => {
  const { shown, from } = desk('a', 'unassigned', 'unassigned')
  const taken = desk('b', 'unassigned', 'unassigned')
  taken.standing.value = 'open'
  taken.shown.value = 'open'
  expect(taken.from.value).toBe('open')
  shown.value = 'waiting'
  expect(from.value).toBe('unassigned')
})

test('a reloaded page keeps an own conversation in the list of its address, not a stranger one', () => {
  expect(desk('a', 'open', 'waiting').from.value).toBe('open')
  const stranger = desk('a', 'open', null)
  expect(stranger.from.value).toBeNull()
  stranger.standing.value = 'open'
  expect(stranger.from.value).toBe('open')
})

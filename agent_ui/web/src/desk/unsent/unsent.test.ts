import { useSending } from '@desk/acts/sending'
import { useComposer } from '@desk/composer/composer'
import { useFiles } from '@desk/composer/files'
import type { Conversation, Mode } from '@desk/model/entities'
import { useLink } from '@desk/stream/link'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nextTick, reactive } from 'vue'
import { useUnsent, type Place } from './unsent'

const file = { id: 'f', name: 'map.png', media_type: 'image/png', size: 3 }
const newer = { code: 'newer_answer', message: { id: 'theirs', parts: [] } }

/** A hub that refuses messages with these problems, then takes them; returns what it was given. */
function hub(...problems: object[]) {
  const given: Record<string, unknown>[] = []
  vi.stubGlobal('fetch', (path: string, { body }: RequestInit) => {
    if (!path.endsWith('/messages')) return Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }))
    given.push(JSON.parse(String(body)) as Record<string, unknown>)
    const problem = problems.shift()
    return Promise.resolve(new Response(JSON.stringify(problem ?? {}), { status: problem ? 409 : 201, headers: { 'Content-Type': 'application/json' } }))
  })
  return given
}

function desk(values: Partial<Place> = {}) {
  setActivePinia(createPinia())
  const place = reactive<Place>({ id: 'a', conversation: undefined as Conversation | undefined, reply: true, note: true, ...values })
  const found = useUnsent(() => place)
  const texts = () => found.unsent.value.map(({ text }) => text)
  return { ...found, place, texts, link: useLink(), composer: useComposer(), files: useFiles() }
}

const write = (text: string, second: number, mode: Mode = 'reply') =>
  useSending().send({ id: text, conversation: 'a', mode, text, files: text === '2' ? [file] : [], newest: 'old', at: `2026-11-22T05:00:0${second}Z` })

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  localStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('what is sent after all knows the answer that was shown', async () => {
  const given = hub(newer)
  const { link, again, unsent, texts } = desk()
  write('1', 1)
  write('2', 2)
  link.restored(0)
  await vi.advanceTimersByTimeAsync(100)
  expect(texts()).toEqual(['1', '2'])
  again(unsent.value)
  await vi.advanceTimersByTimeAsync(100)
  expect(given.map(({ text, newest }) => [text, newest])).toEqual([['1', 'old'], ['1', 'theirs'], ['2', 'theirs']])
  expect(texts()).toEqual([])
})

test('put back, texts stand in their field in order, files beside it; both survive a reload', async () => {
  hub(newer)
  const { link, give, unsent, composer, files } = desk()
  write('1', 1)
  write('2', 2)
  link.restored(0)
  await vi.advanceTimersByTimeAsync(100)
  give(unsent.value)
  await nextTick()
  expect(composer.of('a').texts).toEqual({ reply: '1\n2', note: '' })
  expect(files.all.get('a')?.map(({ name, state }) => [name, state])).toEqual([['map.png', 'done']])
  const later = desk()
  expect(later.texts()).toEqual([])
  expect(later.composer.of('a').texts.reply).toBe('1\n2')
  expect(later.files.all.get('a')?.map(({ uploaded }) => uploaded)).toEqual([file])
})

test('where only a note can be written, replies and what was half written go there', async () => {
  hub({ code: 'forbidden' })
  const { link, give, unsent, texts, place, composer } = desk()
  write('1', 1)
  link.restored(0)
  composer.write('a', 'half')
  await vi.advanceTimersByTimeAsync(100)
  place.reply = false
  expect(texts()).toEqual(['1', 'half'])
  give(unsent.value)
  expect(composer.of('a').texts).toEqual({ reply: '', note: '1\nhalf' })
  expect(composer.of('a').mode).toBe('note')
})

test('what was taken out comes back to where it was', async () => {
  hub({ code: 'closed' })
  const { link, take, unsent, texts, place, composer } = desk()
  write('1', 1)
  write('2', 2)
  composer.write('a', 'half')
  link.restored(0)
  await vi.advanceTimersByTimeAsync(100)
  Object.assign(place, { reply: false, note: false })
  const back = take(unsent.value)
  expect(texts()).toEqual([])
  back()
  expect(texts()).toEqual(['1', '2', 'half'])
})

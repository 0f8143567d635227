import { expect, test } from 'vitest'
import { FIELDS, freeName, fresh, inOrder, KINDS, renamed, turned, ways, without, type Flow } from './flow'

const flow: Flow = {
  start: 'what',
  steps: {
    lost: { do: 'hang_up', text: 'bye' },
    orders: { do: 'queue', text: '', queue: 'orders', priority: null },
    what: { do: 'menu', text: '1 or 2', name: 'topic', timeout_s: 6, tries: 2, otherwise: 'orders', choices: [
      { key: '1', to: 'orders', value: '', phrases: [] },
      { key: '2', to: 'leave', value: '', phrases: [] },
    ] },
    leave: { do: 'voicemail', text: 'after the tone', queue: '', most_s: 60 },
  },
}

test('steps stand as callers come to them', () => {
  expect(ways(flow.steps['what']!)).toEqual(['orders', 'leave'])
  expect(inOrder(flow)).toEqual(['what', 'orders', 'leave', 'lost'])
  expect(inOrder({ start: '', steps: flow.steps })).toEqual(['lost', 'orders', 'what', 'leave'])
})

test('a name follows everywhere', () => {
  const other = renamed(flow, 'orders', 'sales')
  expect(Object.keys(other.steps)).toEqual(['lost', 'sales', 'what', 'leave'])
  expect(ways(other.steps['what']!)).toEqual(['sales', 'leave'])
  expect(renamed(flow, 'what', 'ask-it').start).toBe('ask-it')
  expect(renamed(flow, 'what', 'leave')).toBe(flow)
  expect(renamed(flow, 'what', '')).toBe(flow)
})

test('what led to a step that is gone leads nowhere', () => {
  const rest = without(flow, 'orders')
  expect(ways(rest.steps['what']!)).toEqual(['leave'])
  expect(rest.steps['what']!['otherwise']).toBe('')
  expect(without(flow, 'what').start).toBe('')
})

test('each kind begins with the fields that it is asked for', () => {
  for (const kind of KINDS) {
    const step = fresh(kind)
    const names = FIELDS[kind]!.filter((field) => !field.optional).map((field) => field.name)
    expect(names.filter((name) => !(name in step))).toEqual([])
  }
})

test('another kind keeps what both have', () => {
  const step = turned({ do: 'say', text: 'hello', next: 'orders' }, 'hang_up')
  expect(step).toEqual({ do: 'hang_up', text: 'hello' })
})

test('new steps have names of their own', () => {
  expect(freeName({}, 'hang_up')).toBe('hang-up')
  expect(freeName({ say: fresh('say'), 'say-2': fresh('say') }, 'say')).toBe('say-3')
})

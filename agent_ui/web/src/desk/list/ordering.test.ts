import type { Conversation, Item } from '@desk/model/entities'
import { expect, test } from 'vitest'
import { matches } from './lists'
import { ordered, steady, tabOf, type Row } from './ordering'
import { waiting } from './waiting'

const now = Date.parse('2026-11-22T05:00:00Z')
const before = (s: number): string => new Date(now - s * 1000).toISOString()
const row = (id: string, since: string | null, last = before(0), targetS = 180): Row => ({
  id,
  conversation: { id, last_at: last } as Conversation,
  item: undefined,
  since,
  targetS,
})

test('overdue first, then the oldest wait, then the latest word', () => {
  const rows = [
    row('answered-old', null, before(900)),
    row('short', before(30)),
    row('overdue', before(200)),
    row('long-target', before(400), before(0), 3600),
    row('answered-new', null, before(10)),
  ]
  expect(ordered(rows, now).map(({ id }) => id)).toEqual([
    'overdue', 'long-target', 'short', 'answered-new', 'answered-old',
  ])
})

test('a list under the pointer keeps its order', () => {
  const next = [row('c', null), row('a', null), row('new', null)]
  expect(steady(next, ['a', 'gone', 'c']).map(({ id }) => id)).toEqual(['a', 'c', 'new'])
})

test.each([
  [100, 'calm', 80],
  [126, 'soon', 54],
  [180, 'soon', 0],
  [181, 'late', -1],
])('after %i s of 180 a wait is %s', (waited, urgency, left) => {
  expect(waiting(before(waited), now, 180)).toEqual({ urgency, waitedMs: waited * 1000, leftMs: left * 1000 })
})

const conversation = (values: Partial<Conversation>) => ({ owner: null, state: 'open', ...values }) as Conversation
const item = (values: Partial<Item>) => ({ owner: null, ...values }) as Item

test('whom one talks with comes before whoever waits too long', () => {
  const rows = [row('late', before(600)), { ...row('talks', null, before(900)), talks: true }]
  expect(ordered(rows, now).map(({ id }) => id)).toEqual(['talks', 'late'])
})

test('each conversation stands in one tab', () => {
  expect(tabOf(conversation({ owner: 'me' }), item({ state: 'assigned', owner: 'me' }), 'me')).toBe('open')
  expect(tabOf(conversation({ owner: 'me', state: 'waiting_customer' }), undefined, 'me')).toBe('waiting')
  expect(tabOf(conversation({ owner: 'me' }), item({ state: 'wrap_up', owner: 'me' }), 'me')).toBe('wrap-up')
  expect(tabOf(conversation({}), item({ state: 'offered' }), 'me')).toBe('unassigned')
  expect(tabOf(conversation({ owner: 'you' }), item({ state: 'assigned' }), 'me')).toBeNull()
  expect(tabOf(conversation({ owner: 'me', state: 'closed' }), undefined, 'me')).toBeNull()
  expect(tabOf(conversation({ owner: 'me', state: 'waiting_customer' }), undefined, 'me', true)).toBe('open')
})

test('search takes full-width letters and every word', () => {
  const found = row('a', null)
  found.conversation = conversation({ customer: { id: 'x', name: '佐藤 美咲', language: 'ja' }, subject: 'A-10482', number: 48213, preview: '' })
  expect(matches(found, 'ａ-10482 佐藤')).toBe(true)
  expect(matches(found, '#48213')).toBe(true)
  expect(matches(found, '佐藤 返品')).toBe(false)
})

import type { Conversation, Item, Message } from '@desk/model/entities'
import { expect, test } from 'vitest'
import { linked } from './links'
import { firstUnread, timelineRows, timeOf, type TimelineInput } from './timeline'

const at = (minute: number): string => new Date(2026, 10, 22, 10, minute).toISOString()
const message = (id: string, minute: number, values: Partial<Message> = {}): Message =>
  ({
    id, conversation: 'a', author: 'customer', direction: 'in', visibility: 'public', channel: 'chat', identity: 'i',
    agent: null, parts: [{ type: 'text', text: id }], provider_at: null, received_at: at(minute), ...values,
  }) as Message
const rows = (values: Partial<TimelineInput>) =>
  timelineRows({ messages: [], outgoing: [], conversations: new Map(), items: [], calls: [], newFrom: null, ...values })

test('a heading stands at each change of sender, channel or five minutes', () => {
  const found = rows({
    messages: [
      message('1', 0), message('2', 3), message('3', 9),
      message('4', 10, { author: 'agent', direction: 'out', agent: 'me' }), message('5', 11),
    ],
  })
  expect(found.map((row) => row.kind)).toEqual(['day', 'message', 'message', 'message', 'message', 'message'])
  expect(found.flatMap((row) => (row.kind === 'message' ? [row.head] : []))).toEqual([true, false, true, true, true])
})

test("the provider's time counts within a day before ours", () => {
  const received = '2026-11-22T05:00:00Z'
  expect(timeOf({ received_at: received, provider_at: '2026-11-22T04:00:00Z' })).toBe(Date.parse('2026-11-22T04:00:00Z'))
  expect(timeOf({ received_at: received, provider_at: '2026-11-25T00:00:00Z' })).toBe(Date.parse(received))
  expect(timeOf({ received_at: received, provider_at: '2020-01-01T00:00:00Z' })).toBe(Date.parse('2026-11-21T05:00:00Z'))
})

test('conversations of one customer have a divider each', () => {
  const conversations = new Map(['a', 'b'].map((id) => [id, { id } as Conversation]))
  const found = rows({ conversations, messages: [message('1', 0), message('2', 1, { conversation: 'b' })] })
  expect(found.map((row) => row.kind)).toEqual(['day', 'conversation', 'message', 'conversation', 'message'])
})

test('assignments stand where they happened; equal system lines fold', () => {
  const turn = { id: 't', agent: 'me', agent_name: 'Me', offer: null, started_at: at(1), wrap_up_at: null, ended_at: null, why: '', facts: [] }
  const items = [{ id: 'w', conversation: 'a', state: 'assigned', history: [turn], handover: null } as unknown as Item]
  const left = { author: 'system' as const, parts: [{ type: 'system' as const, code: 'customer_left', data: {} }] }
  const found = rows({ items, messages: [message('1', 0), message('2', 2, left), message('3', 3, left)] })
  expect(found.map((row) => row.kind)).toEqual(['day', 'message', 'turn', 'system'])
  expect(found.at(-1)).toMatchObject({ more: 1 })
})

test('what is being sent stands last, until the stream has it', () => {
  const outgoing = [{ id: 'x', conversation: 'a', mode: 'reply' as const, text: '', files: [], at: at(0), state: 'queued' as const }]
  expect(rows({ outgoing, messages: [message('1', 5)] }).at(-1)).toMatchObject({ kind: 'outgoing', key: 'x' })
  expect(rows({ outgoing, messages: [message('x', 5)] }).map((row) => row.kind)).toEqual(['day', 'message'])
})

test('the divider of the new stands before the oldest unread text', () => {
  const messages = [message('1', 0), message('2', 1, { author: 'agent', direction: 'out' }), message('3', 2), message('4', 3)]
  expect(firstUnread(messages, 2)).toBe('3')
  expect(firstUnread(messages, 0)).toBeNull()
  expect(firstUnread(messages, 9)).toBe('1')
  expect(rows({ messages, newFrom: '3' }).map((row) => row.kind)).toEqual(['day', 'message', 'message', 'new', 'message', 'message'])
})

test('addresses in a text become links without the mark that ends the sentence', () => {
  expect(linked('見る：https://shop.example/a?b=1。')).toEqual([
    { text: '見る：', url: null }, { text: 'https://shop.example/a?b=1', url: 'https://shop.example/a?b=1' }, { text: '。', url: null },
  ])
  expect(linked('(https://a.example/).')[1]?.url).toBe('https://a.example/')
  expect(linked('javascript:alert(1)')).toEqual([{ text: 'javascript:alert(1)', url: null }])
})

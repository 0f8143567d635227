import type { Conversation, Customer, Item } from '@desk/model/entities'
import { expect, test } from 'vitest'
import { plain, suggestions } from './dial'
import { way } from './recent'
import { waits } from './waits'

const item = (id: string, change: Partial<Item>): Item =>
  ({ id, conversation: `c-${id}`, kind: 'text', channel: 'voice', state: 'waiting', owner: null, callback: 'none', enqueued_at: id, ...change }) as Item

test('messages after the tone and wishes for a call wait, the oldest first; calls, and what is a colleague’s, do not', () => {
  const items = [
    item('3', {}),
    item('1', { channel: 'chat', callback: 'asked', state: 'assigned', owner: 'me' }),
    item('2', { kind: 'call' }),
    item('4', { state: 'assigned', owner: 'other' }),
    item('5', { channel: 'sms' }),
    item('6', { state: 'done' }),
    item('7', { callback: 'reached' }),
    item('8', {}),
  ]
  const known = new Map(items.filter(({ id }) => id !== '8').map((each) => [each.conversation, { id: each.conversation } as Conversation]))
  expect(waits(items, known, 'me').map(({ id, kind }) => [id, kind])).toEqual([['1', 'callback'], ['3', 'voicemail']])
})

const customer = (id: string, name: string, ...numbers: string[]): Customer =>
  ({ id, name, identities: [{ id: `${id}-mail`, scheme: 'mail', value: '0905550@example.jp' }, ...numbers.map((value, at) => ({ id: `${id}-${at}`, scheme: 'phone', value }))] }) as Customer

test('customers are found by their names and by digits, with each of their numbers', () => {
  const all = [customer('a', '佐藤 美咲', '+819055500187', '+81312345678'), customer('b', 'James', '+442079460312')]
  expect(suggestions(all, '美咲').map(({ number }) => number)).toEqual(['+819055500187', '+81312345678'])
  expect(suggestions(all, '０９０-5550').map(({ name }) => name)).toEqual(['佐藤 美咲'])
  expect(suggestions(all, 'james')).toHaveLength(1)
  expect(suggestions(all, '05')).toEqual([])
  expect(suggestions(all, ' ')).toEqual([])
})

test('what is typed is called by its keys', () => {
  expect(plain('０９０-5550 (0187)')).toBe('09055500187')
  expect(plain('+44 20')).toBe('+4420')
})

test('a call shows its way and whether anybody came', () => {
  expect(way({ direction: 'in', answered_at: null })).toEqual({ icon: 'i-lucide-phone-missed', tone: 'bad' })
  expect(way({ direction: 'in', answered_at: 'x' }).tone).toBe('ok')
  expect(way({ direction: 'out', answered_at: null })).toEqual({ icon: 'i-lucide-phone-outgoing', tone: '' })
})

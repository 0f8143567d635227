import type { Conversation, Customer, Identity } from '@desk/model/entities'
import type { HubAccount } from '@desk/model/session'
import { expect, test } from 'vitest'
import { addressesOf } from './addresses'

const identity = (id: string, values: Partial<Identity> = {}): Identity => ({
  id, scheme: 'phone', value: `+8190${id}`, verified: true, linked: false, name: '', created_at: '', ...values,
})
const account = (id: string, values: Partial<HubAccount> = {}) =>
  ({ id, key: id, name: id, channel: 'sms', paused: false, reaches: ['phone'], ...values }) as HubAccount
const chat = account('chat', { channel: 'chat', reaches: [] })
const conversation = { identity: 'visitor', account: 'chat', channel: 'chat' } as Conversation
const customer = (...identities: Identity[]) =>
  ({ identities: [identity('visitor', { scheme: 'visitor' }), ...identities] }) as Customer
const found = (who: Customer | undefined, ...accounts: HubAccount[]) =>
  addressesOf(conversation, who, [chat, ...accounts], 'en').map(({ identity, account, by }) => [identity, account, by])

test('the address that wrote last comes first, also before the customer is known here', () => {
  expect(found(undefined, account('sms'))).toEqual([['visitor', 'chat', '']])
  expect(found(customer(identity('1')), account('sms'))).toEqual([['visitor', 'chat', ''], ['1', 'sms', '']])
})

test('an address must be verified, or linked by a person', () => {
  const unsure = identity('2', { verified: false })
  expect(found(customer(unsure), account('sms'))).toHaveLength(1)
  expect(found(customer({ ...unsure, linked: true }), account('sms'))).toHaveLength(2)
})

test('an account must work and reach that kind of address', () => {
  const mail = identity('3', { scheme: 'mail' })
  expect(found(customer(mail), account('sms'))).toHaveLength(1)
  expect(found(customer(identity('1')), account('sms', { paused: true }))).toHaveLength(1)
})

test('where several accounts reach an address, each is named', () => {
  expect(found(customer(identity('1')), account('orders'), account('returns'))).toEqual([
    ['visitor', 'chat', ''], ['1', 'orders', 'orders'], ['1', 'returns', 'returns'],
  ])
})

test('an account is named as the reader calls it', () => {
  const both = [account('a', { name: 'ご注文', name_en: 'Orders' }), account('b', { name: '返品', name_en: '' })]
  const named = (locale: string) => addressesOf(conversation, customer(identity('1')), both, locale).map(({ by }) => by)
  expect(named('en')).toEqual(['', 'Orders', '返品'])
  expect(named('ja')).toEqual(['', 'ご注文', '返品'])
})

test('another visitor of the same customer is reached in their own thread only', () => {
  const other = identity('elsewhere', { scheme: 'visitor' })
  expect(found(customer(other), account('sms'))).toEqual([['visitor', 'chat', '']])
})
test('a telephone line carries no text: other addresses are left, or none', () => {
  const call = { identity: '1', account: 'phone', channel: 'voice' } as Conversation
  const phone = account('phone', { channel: 'voice', reaches: [] })
  const left = (...more: HubAccount[]) => addressesOf(call, customer(identity('1')), [phone, ...more], 'en').map((each) => each.account)
  expect(left()).toEqual([])
  expect(left(account('sms'))).toEqual(['sms'])
})

import type { Hub, HubQueue } from '@desk/model/session'
import { expect, test } from 'vitest'
import { nameIn, queueName, skillName, wrapUpName } from './names'

const both = { name: 'ご注文', name_en: 'Orders' }
const orders = { key: 'orders', ...both, wrap_up: [{ key: 'done', ...both }, { key: 'old', name: '旧' }] } as HubQueue
const names = {
  queue: (key: string) => (key === 'orders' ? orders : undefined),
  hub: { skills: [{ key: 'order', ...both }] } as unknown as Hub,
}
const all = (locale: string): string[] => [
  queueName(names, 'orders', locale),
  skillName(names, 'order', locale),
  wrapUpName(names, 'orders', 'done', locale),
]

test.each([['ja', 'ご注文'], ['en', 'Orders']])('each thing is called as its reader in %s calls it', (locale, name) => {
  expect(all(locale)).toEqual([name, name, name])
})

test('who has no English name is called by the other, what nobody knows by its key', () => {
  expect(wrapUpName(names, 'orders', 'old', 'en')).toBe('旧')
  expect(nameIn('en', { name: '旧', name_en: '' })).toBe('旧')
  expect(queueName(names, 'gone', 'en')).toBe('gone')
  expect(skillName(names, 'gone', 'en')).toBe('gone')
  expect(wrapUpName(names, 'gone', 'done', 'ja')).toBe('done')
})

import { expect, test } from 'vitest'
import { phone } from './address'
import { size } from './size'

test.each([
  ['+819055500142', '090-5550-0142'],
  ['+81355501234', '03-5550-1234'],
  ['+81525501234', '052-550-1234'],
  ['+14155550100', '+14155550100'],
])('%s is shown as %s', (e164, shown) => expect(phone(e164)).toBe(shown))

test.each([[900, '900 B'], [84_000, '84 KB'], [1_240_000, '1.2 MB']])('%i bytes are %s', (bytes, shown) =>
  expect(size(bytes)).toBe(shown),
)

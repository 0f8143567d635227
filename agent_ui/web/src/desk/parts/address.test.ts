import { expect, test } from 'vitest'
import { phone } from './address'

test.each([
  ['+819055500142', '090-5550-0142'],
  ['+81355501234', '03-5550-1234'],
  ['+81525501234', '052-550-1234'],
  ['+14155550100', '+14155550100'],
])('%s is shown as %s', (e164, shown) => expect(phone(e164)).toBe(shown))

import { expect, test } from 'vitest'
import { timeThere } from './calls'

test.each([
  ['America/New_York', 'en', 'Thu 21:30'],
  ['Asia/Tokyo', 'en', 'Fri 11:30'],
])('in %s it is %s', (zone, locale, shown) => {
  const now = Date.parse('2026-11-27T02:30:00Z')
  expect(timeThere(now, zone, locale).replace(',', '')).toBe(shown)
})

import { expect, test } from 'vitest'
import { leftOf } from './wrapUps'

const at = (time: string): number => Date.parse(`2026-11-22T05:${time}Z`)

test.each([
  ['01:30.000', '00:00.000', 90],
  ['01:30.000', '01:29.900', 1],
  ['01:30.000', '01:30.000', 0],
  ['01:30.000', '02:00.000', 0],
])('until %s, at %s, %i seconds are left', (until, now, left) => {
  expect(leftOf(`2026-11-22T05:${until}Z`, at(now))).toBe(left)
})

test('without a limit nothing is left to count', () => {
  expect(leftOf(null, at('00:00'))).toBeNull()
  expect(leftOf(undefined, at('00:00'))).toBeNull()
})

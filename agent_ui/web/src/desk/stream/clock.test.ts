import { expect, test } from 'vitest'
import { ClockOffset } from './clock'
import { backOff } from './link'

test('the sample with the least way through the network is believed', () => {
  const offset = new ClockOffset()
  const at = Date.parse('2026-11-22T05:00:00Z')
  offset.sample('2026-11-22T05:00:00Z', at - 3_000 + 800)
  offset.sample('2026-11-22T05:00:00Z', at - 3_000 + 40)
  expect(offset.ms).toBe(2_960)
})

test('a clock that was set back is followed with one sample; one that was late is put right', () => {
  const offset = new ClockOffset()
  const at = Date.parse('2026-11-22T05:00:00Z')
  offset.sample('2026-11-22T05:00:00Z', at)
  offset.sample('2026-11-22T05:00:00Z', at + 4_000)
  expect(offset.ms).toBe(0)
  offset.sample('2026-11-22T05:00:00Z', at + 20_000)
  offset.sample('2026-11-22T05:00:00Z', at + 10)
  expect(offset.ms).toBe(-10)
  offset.sample('2026-11-22T04:00:00Z', at + 40)
  expect(offset.ms).toBe(-3_600_040)
  offset.sample('2026-11-22T04:00:00Z', at + 20)
  expect(offset.ms).toBe(-3_600_020)
  offset.sample('2026-11-22T05:00:00Z', at)
  expect(offset.ms).toBe(0)
})

test('an unreadable time is no sample', () => {
  const offset = new ClockOffset()
  offset.sample('soon', 0)
  expect(offset.ms).toBe(0)
})

test('tries come slower and slower, never slower than 16.5 s', () => {
  expect([0, 1, 2, 3, 4, 5, 99].map((attempt) => backOff(attempt, 0.5))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ])
  expect(backOff(9, 1)).toBe(16_500)
})

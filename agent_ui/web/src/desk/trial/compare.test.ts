import { expect, test } from 'vitest'
import { inUnit, row, rows, verdict } from './compare'
import type { Estimate, Pair } from './trial'

const about = (mean: number, by: number): Estimate => ({ mean, se: by / 2, ci95: [mean - by, mean + by] })
const pair = (key: string, old: number, now: number, by = 0): Pair => ({
  old: { [key]: about(old, 0) },
  new: { [key]: about(now, 0) },
  difference: { [key]: about(now - old, by) },
})

test('what is better follows from the way and from which way is good', () => {
  expect(verdict(about(0.1, 0.02), 'more')).toBe('better')
  expect(verdict(about(0.1, 0.02), 'less')).toBe('worse')
  expect(verdict(about(-3, 1), 'less')).toBe('better')
  expect(verdict(about(-3, 1), null)).toBe('less')
})

test('an interval that reaches over zero says nothing for sure, and so does one run alone', () => {
  expect(verdict(about(0.1, 0.2), 'more')).toBe('unsure')
  expect(verdict({ mean: 4, se: null, ci95: null }, 'less')).toBe('unsure')
  expect(verdict({ mean: 0, se: null, ci95: null }, 'less')).toBe('same')
  expect(verdict(about(0, 0), 'less')).toBe('same')
})

test('long waits are told in minutes, on both sides of a row', () => {
  const long = row({ key: 'mean_wait_s', unit: 'seconds', good: 'less' }, pair('mean_wait_s', 30, 400, 5))
  expect([long.unit, long.verdict]).toEqual(['minutes', 'worse'])
  expect(inUnit(long.new, long.unit, 'ja')).toBe('6.7')
})

test.each(['unfinished', 'full', 'nobody'])('%s is named only where there is somebody', (key) => {
  expect(rows(pair(key, 0, 0), null).map((each) => each.key)).not.toContain(key)
  expect(rows(pair(key, 0, 2), null).map((each) => each.key)).toContain(key)
  expect(rows(pair(key, 0, 0), { [key]: 3 }).map((each) => each.key)).toContain(key)
})

test('numbers are written as people read them; nothing is minus nothing', () => {
  expect(inUnit(0.8214, 'share', 'en')).toBe('82.1')
  expect(inUnit(0.0321, 'share', 'en', true)).toBe('+3.2')
  expect(inUnit(-0.00001, 'share', 'en', true)).toBe('0.0')
  expect(inUnit(1234, 'count', 'en')).toBe('1,234')
  expect(inUnit(12.5, 'count', 'ja', true)).toBe('+12.5')
})

import { expect, test } from 'vitest'
import { ago, clock, date, daysAgo, length, moment, spoken, timer } from './format'

const t = (key: string, values: Record<string, unknown> = {}): string =>
  [key.replace('desk.time.', ''), ...Object.values(values)].join(' ')
const at = (text: string): number => new Date(text).getTime()
const now = at('2026-11-22T14:05:00')

test.each([
  [0, '0:00'],
  [277_000, '4:37'],
  [6_128_000, '1:42:08'],
  [-5, '0:00'],
])('%i ms run as %s', (ms, shown) => expect(timer(ms)).toBe(shown))

test('lengths change their form at an hour and at a day', () => {
  expect(length(277_000, t)).toBe('4:37')
  expect(length(72 * 60_000, t)).toBe('hoursMinutes 1 12')
  expect(length(120 * 60_000, t)).toBe('hours 2')
  expect(length(50 * 3_600_000, t)).toBe('days 2')
  expect(spoken(95_000, t)).toBe('minutesSeconds 1 35')
  expect(spoken(20_000, t)).toBe('seconds 20')
  expect(spoken(300_000, t)).toBe('minutes 5')
})

test('a moment says what is needed, no more', () => {
  expect(moment(at('2026-11-22T09:02:00'), now, 'ja', t)).toBe('9:02')
  expect(moment(at('2026-11-21T18:20:00'), now, 'ja', t)).toBe('yesterdayAt 18:20')
  expect(moment(at('2026-10-03T18:20:00'), now, 'ja', t)).toBe('dateAt 10月3日（土） 18:20')
  expect(date(at('2025-10-03T18:20:00'), now, 'en')).toBe('Fri 3 Oct 2025')
  expect(clock(at('2026-11-22T00:05:00'), 'ja')).toBe('0:05')
})

test('calendar days count, not hours', () => {
  expect(daysAgo(at('2026-11-21T23:59:00'), at('2026-11-22T00:01:00'))).toBe(1)
  expect(ago(at('2026-11-22T13:47:00'), now, 'ja', t)).toBe('minutesAgo 18')
  expect(ago(now - 10_000, now, 'en', t)).toBe('justNow')
  expect(ago(at('2026-11-21T20:00:00'), now, 'ja', t)).toBe('yesterday')
})

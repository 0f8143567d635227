import { expect, test } from 'vitest'
import { clock, day } from './times'
import { catalogues } from './words'

const now = new Date(2026, 10, 25, 9)

test('days are said as people say them', () => {
  const said = (date: Date, locale: 'ja' | 'en') => day(date.toISOString(), locale, catalogues[locale], now)
  expect(said(new Date(2026, 10, 25, 1), 'ja')).toBe('今日')
  expect(said(new Date(2026, 10, 24, 23), 'en')).toBe('Yesterday')
  expect(said(new Date(2026, 10, 17), 'ja')).toBe('11月17日（火）')
  expect(said(new Date(2026, 10, 17), 'en')).toBe('Tue, Nov 17')
})

test('the time of day has no zero before it', () => {
  expect(clock(new Date(2026, 10, 25, 9, 5).toISOString())).toBe('9:05')
  expect(clock(new Date(2026, 10, 25, 14, 5).toISOString())).toBe('14:05')
})

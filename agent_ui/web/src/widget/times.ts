import type { Locale } from '@shared/locale'
import type { Words } from './words'

const DAY_MS = 86_400_000

/** The time of day as the desk writes it: 14:05, 9:05. */
export function clock(at: string): string {
  const time = new Date(at)
  return `${time.getHours()}:${String(time.getMinutes()).padStart(2, '0')}`
}

/** 今日, 昨日, 11月24日（火）; today, yesterday, Tue, Nov 24. */
export function day(at: string, locale: Locale, words: Words, now = new Date()): string {
  const date = new Date(at)
  const midnight = (one: Date): number => new Date(one).setHours(0, 0, 0, 0)
  const ago = Math.round((midnight(now) - midnight(date)) / DAY_MS)
  if (ago === 0) return words.today
  if (ago === 1) return words.yesterday
  const month = locale === 'ja' ? 'long' : 'short'
  const format = { month, day: 'numeric', weekday: 'short' } as const
  return date.toLocaleDateString(locale, format).replace('(', '（').replace(')', '）')
}

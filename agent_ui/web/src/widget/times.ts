import type { Locale } from '@shared/locale'
import type { Words } from './words'

const DAY_MS = 86_400_000

/** The time of day as the desk writes it: 14:05, 9:05. */
export function clock(at: string): string {
  const time = new Date(at)
  return `${time.getHours()}:${String(time.getMinutes()).padStart(2, '0')}`
}

/** A zone as this browser knows it; of one that it does not know it shows the visitor's own time. */
function known(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** A moment as the site's people have it: 11月27日（金） 9:00; Fri 27 Nov, 9:00. */
export function there(at: string, zone: string, locale: Locale): string {
  const format = new Intl.DateTimeFormat(locale === 'ja' ? 'ja' : 'en-GB', {
    timeZone: known(zone),
    day: 'numeric',
    month: 'short',
    weekday: 'short',
    hour: 'numeric',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const parts = format.formatToParts(new Date(at))
  const [month, date, weekday, hour, minute] = ['month', 'day', 'weekday', 'hour', 'minute'].map(
    (type) => parts.find((part) => part.type === type)?.value ?? '',
  )
  const time = `${Number(hour)}:${minute}`
  if (locale === 'ja') return `${month!.replace(/月$/, '')}月${date}日（${weekday}） ${time}`
  return `${weekday} ${date} ${month}, ${time}`
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

import type { Locale } from '@shared/locale'

const DAY_MS = 86_400_000

type Words = (key: string, values?: Record<string, unknown>) => string

const pad = (value: number): string => String(value).padStart(2, '0')

/** A running time as a clock shows it: 4:37, from one hour on 1:42:08. */
export function timer(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`
}

/** A length for people: 4:37 below an hour, then 1時間12分 / 1 h 12 min, then days. */
export function length(ms: number, t: Words): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return timer(ms)
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (hours >= 24) return t('desk.time.days', { days: Math.floor(hours / 24) })
  return rest ? t('desk.time.hoursMinutes', { hours, minutes: rest }) : t('desk.time.hours', { hours })
}

/** A length in words: 1分35秒, 20秒 / 1 min 35 s, 20 s. */
export function spoken(ms: number, t: Words): string {
  const total = Math.max(0, Math.round(ms / 1000))
  if (total >= 3600) return length(ms, t)
  const [minutes, rest] = [Math.floor(total / 60), total % 60]
  if (!minutes) return t('desk.time.seconds', { seconds: rest })
  if (!rest) return t('desk.time.minutes', { minutes })
  return t('desk.time.minutesSeconds', { minutes, seconds: rest })
}

const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0)

/** Whole calendar days from `at` to `now` in this machine's zone; 0 is today. */
export function daysAgo(at: number, now: number): number {
  return Math.round((midnight(now) - midnight(at)) / DAY_MS)
}

const clocks: Record<Locale, Intl.DateTimeFormat> = {
  ja: new Intl.DateTimeFormat('ja', { hour: 'numeric', minute: '2-digit', hour12: false }),
  en: new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit', hour12: false }),
}

/** The time of day: 14:05. */
export function clock(at: number, locale: Locale): string {
  return clocks[locale].format(at).replace(/^24/, '0').replace(/^0(\d)/, '$1')
}

/** The date without its year while it is this year's: 11月24日（火） / Tue 24 Nov. */
export function date(at: number, now: number, locale: Locale): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  const format = new Intl.DateTimeFormat(locale === 'ja' ? 'ja' : 'en-GB', {
    day: 'numeric',
    month: locale === 'ja' ? 'long' : 'short',
    weekday: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  })
  return format.format(at).replace('(', '（').replace(')', '）').replace(',', '')
}

/** A moment: 14:05 today, 昨日 18:20, else the date. */
export function moment(at: number, now: number, locale: Locale, t: Words): string {
  const days = daysAgo(at, now)
  if (days === 0) return clock(at, locale)
  if (days === 1) return t('desk.time.yesterdayAt', { time: clock(at, locale) })
  return t('desk.time.dateAt', { date: date(at, now, locale), time: clock(at, locale) })
}

/** The heading of a day: 今日 11月22日（日）. */
export function dayName(at: number, now: number, locale: Locale, t: Words): string {
  const days = daysAgo(at, now)
  const name = date(at, now, locale)
  if (days === 0) return t('desk.time.todayDate', { date: name })
  return days === 1 ? t('desk.time.yesterdayDate', { date: name }) : name
}

/** How long ago, in few letters for a list: いま, 18分前, 14:05, 昨日, 11月3日（月）. */
export function ago(at: number, now: number, locale: Locale, t: Words): string {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes < 1) return t('desk.time.justNow')
  if (minutes < 60) return t('desk.time.minutesAgo', { minutes })
  const days = daysAgo(at, now)
  if (days === 0) return clock(at, locale)
  return days === 1 ? t('desk.time.yesterday') : date(at, now, locale)
}

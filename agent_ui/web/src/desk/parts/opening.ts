import type { Locale } from '@shared/locale'
import { nameIn } from './names'

/** How a queue or hours stand: open, or why not, and when they open next. */
export interface Opening {
  open: boolean
  why: 'weekly' | 'holiday' | 'day' | 'by_hand' | null
  day: string
  day_en: string
  opens: string | null
  time_zone: string
}

export interface QueueOpening extends Opening {
  key: string
  name: string
  name_en: string
  hours: string
  closed: boolean
}

type Words = (key: string, values?: Record<string, unknown>) => string

/** A zone as this browser knows it; of one that it does not know it shows the reader's own time. */
function known(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** A date there, with the time if one is given: 11月27日（金） 9:00; Fri 27 Nov, 9:00. */
export function there(at: string, zone: string, locale: Locale, time = true): string {
  const format = new Intl.DateTimeFormat(locale === 'ja' ? 'ja' : 'en-GB', {
    timeZone: known(zone),
    day: 'numeric',
    month: locale === 'ja' ? 'long' : 'short',
    weekday: 'short',
    ...(time ? { hour: 'numeric', minute: '2-digit', hourCycle: 'h23' } : {}),
  })
  const parts = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]))
  const { month = '', day = '', weekday = '', hour = '', minute = '' } = parts
  const date = locale === 'ja' ? `${month.replace(/月$/, '')}月${day}日（${weekday}）` : `${weekday} ${day} ${month}`
  return time ? `${date}${locale === 'ja' ? ' ' : ', '}${Number(hour)}:${minute}` : date
}

/** How it stands, in a sentence or two. */
export function openingText(one: Opening, t: Words, locale: Locale): string {
  if (one.open) return t('desk.opening.open')
  if (one.why === 'by_hand') return t('desk.opening.byHand')
  const name = nameIn(locale, { name: one.day, name_en: one.day_en })
  const next = one.opens ? t('desk.opening.opens', { time: there(one.opens, one.time_zone, locale) }) : t('desk.opening.never')
  return name ? t('desk.opening.closedFor', { name, next }) : t('desk.opening.closed', { next })
}

/** From and to, as local times: 09:00, 18:00. What ends before it begins ends on the next day. */
export type Span = [string, string]

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof WEEKDAYS)[number]

const DAY = 24 * 60
const pad = (value: number): string => String(value).padStart(2, '0')
const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
const time = (at: number): string => `${pad(Math.floor(at / 60))}:${pad(at % 60)}`

/** What somebody typed as a time: 9, 930, 9:30 and full-width figures; else as it is. */
export function tidy(typed: string): string {
  const text = typed.normalize('NFKC').trim()
  const found = /^(\d{1,2})(?::?([0-5]\d))?$/.exec(text)
  const hour = Number(found?.[1])
  if (!found || hour > 24 || (hour === 24 && Number(found[2] ?? 0))) return text
  return `${pad(hour)}:${found[2] ?? '00'}`
}

const timely = (text: string): boolean => /^\d\d:\d\d$/.test(text)
export const overnight = ([from, to]: Span): boolean => timely(from) && timely(to) && to < from && to !== '00:00'
export const allDay = ([from, to]: Span): boolean => from === '00:00' && to === '24:00'

/** The hours that are offered next: a working day, or what follows an hour's break. */
export function nextSpan(spans: readonly Span[]): Span {
  const last = spans.at(-1)
  if (!last) return ['09:00', '18:00']
  const from = Math.min(minutes(last[1]) + 60, DAY - 60)
  return [time(from), time(Math.min(Math.max(from + 60, 18 * 60), DAY))]
}

/** The day after the last of some dates, else a day: 2026-12-31 → 2027-01-01. */
export function nextDate(dates: readonly string[], today: string): string {
  const last = [...dates].filter(Boolean).sort().at(-1)
  if (!last || Number.isNaN(Date.parse(last))) return today
  return new Date(Date.parse(last) + DAY * 60_000).toISOString().slice(0, 10)
}

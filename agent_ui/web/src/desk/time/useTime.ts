import type { Locale } from '@shared/locale'
import { seconds } from '@desk/stream/clock'
import { useI18n } from 'vue-i18n'
import * as format from './format'

/** Times in the reader's language, against the hub's clock; they follow it second by second. */
export function useTime() {
  const { t, locale } = useI18n()
  const words = (key: string, values: Record<string, unknown> = {}): string => t(key, values)
  const language = (): Locale => locale.value as Locale
  const at = (time: string | number): number => (typeof time === 'number' ? time : Date.parse(time))
  /** A time that the hub does not know (yet) is nothing, not a fault. */
  const known = (time: string | number | null, shown: (at: number) => string): string => {
    const found = time === null ? NaN : at(time)
    return Number.isFinite(found) ? shown(found) : ''
  }
  return {
    since: (time: string | null) => Math.max(0, seconds.value - at(time ?? '')) || 0,
    timer: format.timer,
    length: (ms: number) => format.length(ms, words),
    spoken: (ms: number) => format.spoken(ms, words),
    clock: (time: string | null) => known(time, (found) => format.clock(found, language())),
    moment: (time: string | null) => known(time, (found) => format.moment(found, seconds.value, language(), words)),
    dayName: (time: string | number) => known(time, (found) => format.dayName(found, seconds.value, language(), words)),
    ago: (time: string | null) => known(time, (found) => format.ago(found, seconds.value, language(), words)),
  }
}

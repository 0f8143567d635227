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
  return {
    since: (time: string) => Math.max(0, seconds.value - at(time)),
    timer: format.timer,
    length: (ms: number) => format.length(ms, words),
    spoken: (ms: number) => format.spoken(ms, words),
    clock: (time: string) => format.clock(at(time), language()),
    moment: (time: string) => format.moment(at(time), seconds.value, language(), words),
    dayName: (time: string | number) => format.dayName(at(time), seconds.value, language(), words),
    ago: (time: string) => format.ago(at(time), seconds.value, language(), words),
  }
}

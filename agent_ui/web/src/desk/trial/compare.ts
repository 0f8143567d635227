import type { Estimate, Figures, Pair } from './trial'

export type Unit = 'share' | 'seconds' | 'minutes' | 'count'
export type Verdict = 'better' | 'worse' | 'more' | 'less' | 'same' | 'unsure'

interface Figure {
  key: string
  unit: 'share' | 'seconds' | 'count'
  /** Which way is good; null: neither. */
  good: 'more' | 'less' | null
}

export const FIGURES: readonly Figure[] = [
  { key: 'service_level', unit: 'share', good: 'more' },
  { key: 'mean_wait_s', unit: 'seconds', good: 'less' },
  { key: 'wait_s.p90', unit: 'seconds', good: 'less' },
  { key: 'abandoned', unit: 'count', good: 'less' },
  { key: 'full', unit: 'count', good: 'less' },
  { key: 'unfinished', unit: 'count', good: 'less' },
  { key: 'nobody', unit: 'count', good: 'less' },
]
/** Named only where there is somebody. */
const RARE = new Set(['full', 'unfinished', 'nobody'])
export const SERVICE_LEVEL = FIGURES[0] as Figure
export const OCCUPANCY: Figure = { key: 'occupancy', unit: 'share', good: null }

export interface Row {
  key: string
  unit: Unit
  recorded: number | null
  old: number
  new: number
  /** Both sides with how sure they are. */
  sides: [Estimate, Estimate]
  difference: Estimate
  verdict: Verdict
}

const MANY_SECONDS = 300
const NOTHING: Estimate = { mean: 0, se: null, ci95: null }

export function estimate(figures: Figures, key: string): Estimate {
  const [first = '', second] = key.split('.')
  const found = figures[first] as Estimate & Record<string, Estimate>
  return (second ? found?.[second] : found) ?? NOTHING
}

/** What a difference says: nothing for sure while its interval reaches over zero. */
export function verdict({ mean, ci95 }: Estimate, good: Figure['good']): Verdict {
  if (!ci95) return mean === 0 ? 'same' : 'unsure'
  const [low, high] = ci95
  if (low === 0 && high === 0) return 'same'
  if (low <= 0 && high >= 0) return 'unsure'
  const way = mean > 0 ? 'more' : 'less'
  if (good === null) return way
  return way === good ? 'better' : 'worse'
}

/** A figure of both sides in one unit. */
export function row(figure: Figure, pair: Pair, recorded: Record<string, number> | null = null): Row {
  const [old, now, difference] = [pair.old, pair.new, pair.difference].map((side) => estimate(side, figure.key)) as [Estimate, Estimate, Estimate]
  const long = figure.unit === 'seconds' && Math.max(old.mean, now.mean) >= MANY_SECONDS
  return {
    key: figure.key,
    unit: long ? 'minutes' : figure.unit,
    recorded: recorded?.[figure.key] ?? null,
    old: old.mean,
    new: now.mean,
    sides: [old, now],
    difference,
    verdict: verdict(difference, figure.good),
  }
}

/** A queue's rows. */
export function rows(pair: Pair, recorded: Record<string, number> | null): Row[] {
  return FIGURES.map((figure) => row(figure, pair, recorded)).filter((each) => !RARE.has(each.key) || each.old + each.new + (each.recorded ?? 0) > 0)
}

const SCALE: Record<Unit, number> = { share: 100, seconds: 1, minutes: 1 / 60, count: 1 }

/** A number in its unit, without the unit's sign. */
export function inUnit(value: number, unit: Unit, locale: string, signed = false): string {
  const scaled = value * SCALE[unit]
  const whole = (unit === 'count' && (Number.isInteger(scaled) || Math.abs(scaled) >= 20)) || (unit === 'seconds' && Math.abs(scaled) >= 100)
  const digits = whole ? 0 : 1
  const shown = new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: signed ? 'exceptZero' : 'auto',
  })
  return shown.format(Math.abs(scaled) < 0.5 * 10 ** -digits ? 0 : scaled)
}

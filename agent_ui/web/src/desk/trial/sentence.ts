import { estimate, verdict, type Verdict } from './compare'
import type { Compared, Estimate, Pair } from './trial'

/** What a whole comparison comes to, in one figure: the first that changed for sure, in this order. */
const TOLD = [
  { key: 'service_level', good: 'more' },
  { key: 'mean_wait_s', good: 'less' },
  { key: 'abandoned', good: 'less' },
] as const

export interface Told {
  figure: (typeof TOLD)[number]['key']
  verdict: Verdict
  old: number
  now: number
}

export function told(pair: Pair): Told {
  const found = TOLD.map(({ key, good }): Told => ({
    figure: key,
    verdict: verdict(estimate(pair.difference, key), good),
    old: estimate(pair.old, key).mean,
    now: estimate(pair.new, key).mean,
  }))
  const [level] = found as [Told, ...Told[]]
  return found.find((each) => each.verdict === 'better' || each.verdict === 'worse') ?? level
}

export interface Other {
  key: string
  old: Estimate
  now: Estimate
  difference: Estimate
  verdict: Verdict
}

/** Other queues whose service level moves for sure, the most harmed first. */
export function others(figures: Compared, but: string): Other[] {
  return Object.entries(figures.queues)
    .filter(([key]) => key !== but)
    .map(([key, pair]) => {
      const difference = estimate(pair.difference, 'service_level')
      return { key, old: estimate(pair.old, 'service_level'), now: estimate(pair.new, 'service_level'), difference, verdict: verdict(difference, 'more') }
    })
    .filter((each) => each.verdict === 'worse' || each.verdict === 'better')
    .sort((one, other) => one.difference.mean - other.difference.mean)
}

import { estimate } from '@desk/trial/compare'
import type { Estimate } from '@desk/trial/trial'
import type { Move, Wished } from './plan'

const NOTHING: Estimate = { mean: 0, se: 0, ci95: [0, 0] }
export const UNITS = { service_level: 'share', mean_wait_s: 'seconds', abandoned: 'count' } as const
const WAYS: Readonly<Record<Wished, 1 | -1>> = { service_level: 1, mean_wait_s: -1, abandoned: -1 }

/** By how much a move changes a figure, of a queue or of all; a queue that is not told of has not changed. */
export function difference(move: Move, figure: Wished, queue: string): Estimate {
  const pair = queue ? move.effect.queues[queue] : move.effect.total
  return pair ? estimate(pair.difference, figure) : NOTHING
}

/** The same, with better to the right. */
export function gain(move: Move, figure: Wished, queue: string): Estimate {
  const { mean, se, ci95 } = difference(move, figure, queue)
  if (WAYS[figure] === 1) return { mean, se, ci95 }
  return { mean: -mean, se, ci95: ci95 && [-ci95[1], -ci95[0]] }
}

/** The scale for all: what one move alone reaches with few runs must not press the others together. */
export function widest(gains: readonly Estimate[]): number {
  return Math.max(1e-9, ...gains.map(({ mean }) => Math.abs(mean))) * 1.3
}

import type { Counts } from '@desk/stream/figures'

/** A share in whole percent; a dash where nothing was divided. */
export const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(share * 100)}%`)

/** What several queues come to together. */
export interface Day {
  answered: number
  inTime: number
  abandoned: number
  offered: number
  level: number | null
  answerRate: number | null
  abandonRate: number | null
}

export function added(several: readonly Pick<Counts, 'answered' | 'in_time' | 'abandoned'>[]): Day {
  const answered = several.reduce((sum, one) => sum + one.answered, 0)
  const inTime = several.reduce((sum, one) => sum + one.in_time, 0)
  const abandoned = several.reduce((sum, one) => sum + one.abandoned, 0)
  const offered = answered + abandoned
  const share = (part: number): number | null => (offered ? part / offered : null)
  return { answered, inTime, abandoned, offered, level: share(inTime), answerRate: share(answered), abandonRate: share(abandoned) }
}

export type Urgency = 'calm' | 'soon' | 'late'

export interface Waiting {
  urgency: Urgency
  waitedMs: number
  /** Positive: time left to the target; negative: how far beyond it. */
  leftMs: number
}

/** From here on a wait is drawn in the colour of warning. */
const SOON = 0.7

/** How urgent a wait since `since` is against the queue's target. */
export function waiting(since: string, now: number, targetS: number): Waiting {
  const waitedMs = Math.max(0, now - Date.parse(since))
  const targetMs = targetS * 1000
  const leftMs = targetMs - waitedMs
  const urgency = leftMs < 0 ? 'late' : waitedMs >= targetMs * SOON ? 'soon' : 'calm'
  return { urgency, waitedMs, leftMs }
}

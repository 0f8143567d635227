import type { CallView, Leg } from '@shared/call/model'

/** Which leg this tab carries, over a reload: other tabs of the same person do not join. */
const KEY = 'madoguchi.leg'

export function carry(leg: string | null): void {
  if (leg) sessionStorage.setItem(KEY, leg)
  else sessionStorage.removeItem(KEY)
}

export const carried = (): string | null => sessionStorage.getItem(KEY)

/**
 * Whether this tab is to take the microphone for a leg without being asked again: it did so before,
 * or the person said so here, or it was the last one used when the leg began to ring. A colleague
 * who is asked in answers first.
 */
export function joins(leg: Leg, kept: string | null, leading: boolean): boolean {
  if (kept === leg.id) return true
  return leg.state === 'ringing' && leg.party !== 'expert' && leading
}

/** The call that a person is in, or is asked into: of several the one that began last. */
export function callOf(calls: Iterable<CallView>, agent: string): { call: CallView; leg: Leg } | null {
  let found: { call: CallView; leg: Leg } | null = null
  for (const call of calls) {
    if (call.state === 'ended') continue
    const leg = call.legs.find((each) => each.agent === agent && each.state !== 'ended')
    if (leg && (!found || call.began_at > found.call.began_at)) found = { call, leg }
  }
  return found
}

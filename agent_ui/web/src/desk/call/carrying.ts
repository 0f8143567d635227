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
  return leg.state === 'ringing' && !invited(leg) && leading
}

export interface OwnCall {
  call: CallView
  leg: Leg
}

/** A colleague asks for advice: it rings until one answers. */
export const invited = ({ party, state }: Leg): boolean => party === 'expert' && state === 'ringing'

/** The calls that a person is in or is asked into, the one that began last first. */
export function callsOf(calls: Iterable<CallView>, agent: string): OwnCall[] {
  const found: OwnCall[] = []
  for (const call of calls) {
    const leg = call.state !== 'ended' && call.legs.find((each) => each.agent === agent && each.state !== 'ended')
    if (leg) found.push({ call, leg })
  }
  return found.sort((a, b) => (a.call.began_at < b.call.began_at ? 1 : -1))
}

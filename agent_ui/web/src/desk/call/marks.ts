import type { CallView } from '@shared/call/model'

/** Something in the course of a call that is worth a line. */
export interface Mark {
  /** Milliseconds since the call was answered. */
  at: number
  word: 'answered' | 'held' | 'resumed' | 'joined' | 'left' | 'recordPaused'
  /** Who of the center; empty: the customer. */
  name: string
  /** Of an answer: how long the customer had waited; of a hold that is over: how long it was. */
  ms: number
}

const MOST = 6

/** The marks of a call that was answered, in order; where there are many, the last ones. */
export function marksOf(call: CallView): Mark[] {
  if (!call.answered_at) return []
  const answered = Date.parse(call.answered_at)
  const found: Mark[] = [{ at: 0, word: 'answered', name: '', ms: Math.max(0, answered - Date.parse(call.began_at)) }]
  const held = new Map<string, number>()
  const sakes = new Map<string, string>()
  for (const { at, kind, leg, by_name, data } of call.timeline) {
    const time = Date.parse(at)
    const mark = (word: Mark['word'], ms = 0, name = by_name): void => void found.push({ at: Math.max(0, time - answered), word, name, ms })
    const resumed = (who: string, name?: string): void => {
      if (held.has(who)) mark('resumed', time - (held.get(who) ?? time), name)
      held.delete(who)
    }
    const party = call.legs.find((each) => each.id === leg)?.party
    if (kind === 'leg.held' && leg) {
      if (!held.has(leg)) mark('held')
      held.set(leg, held.get(leg) ?? time)
      if (typeof data['for'] === 'string') sakes.set(data['for'], leg)
    } else if (kind === 'leg.resumed' && leg) resumed(leg)
    else if (kind === 'leg.connected' && by_name && party !== 'supervisor' && time > answered) mark('joined')
    else if (kind === 'leg.ended' && leg) {
      if (by_name && party !== 'supervisor') mark('left')
      // Who was held for the sake of somebody goes on when they are gone.
      resumed(sakes.get(leg) ?? '', '')
    }
    else if (kind === 'recording' && data['state'] === 'paused') mark('recordPaused')
  }
  return found.length > MOST ? found.slice(-MOST) : found
}

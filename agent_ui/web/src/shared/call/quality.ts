export type Quality = 'good' | 'fair' | 'poor'

/** What was counted of one connection: packets so far, the way there and back in seconds. */
export interface Counts {
  received: number
  lost: number
  /** The part of our packets that the other did not get, 0 to 1. */
  lostThere: number
  roundTrip: number
}

type Entry = Record<string, unknown> & { type: string }
const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Counts the sound of one connection in a report of its statistics. */
export function counted(report: { forEach: (each: (entry: Entry) => void) => void }): Counts {
  const counts: Counts = { received: 0, lost: 0, lostThere: 0, roundTrip: 0 }
  report.forEach((entry) => {
    if (entry['kind'] !== 'audio') return
    if (entry.type === 'inbound-rtp') {
      counts.received += number(entry['packetsReceived'])
      counts.lost += number(entry['packetsLost'])
    } else if (entry.type === 'remote-inbound-rtp') {
      counts.lostThere = Math.max(counts.lostThere, number(entry['fractionLost']))
      counts.roundTrip = Math.max(counts.roundTrip, number(entry['roundTripTime']))
    }
  })
  return counts
}

const FAIR = { loss: 0.03, roundTrip: 0.3 }
const POOR = { loss: 0.1, roundTrip: 0.8 }

/** How a talk sounds between two countings. */
export function qualityOf(before: Counts, now: Counts): Quality {
  const received = Math.max(0, now.received - before.received)
  const lost = Math.max(0, now.lost - before.lost)
  const loss = Math.max(received + lost ? lost / (received + lost) : 0, now.lostThere)
  const beyond = (limit: typeof FAIR): boolean => loss > limit.loss || now.roundTrip > limit.roundTrip
  return beyond(POOR) ? 'poor' : beyond(FAIR) ? 'fair' : 'good'
}

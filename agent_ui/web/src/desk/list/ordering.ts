import type { Conversation, Item } from '@desk/model/entities'

export const tabs = ['open', 'waiting', 'wrap-up', 'unassigned'] as const
export type Tab = (typeof tabs)[number]

export interface Row {
  id: string
  conversation: Conversation
  item: Item | undefined
  /** Since when the customer waits for words; null: nobody waits. */
  since: string | null
  targetS: number
  /** The agent is on the phone with its customer. */
  talks?: boolean
}

/** Which tab a conversation of the desk stands in; null: in none of this agent's. */
export function tabOf(conversation: Conversation, item: Item | undefined, me: string, talks = false): Tab | null {
  if (talks) return 'open'
  if (item?.state === 'wrap_up' && item.owner === me) return 'wrap-up'
  if (conversation.state === 'closed') return null
  if (conversation.owner === me) return conversation.state === 'open' ? 'open' : 'waiting'
  const waits = item?.state === 'waiting' || item?.state === 'offered'
  return conversation.owner === null && waits ? 'unassigned' : null
}

/** Whom one talks with first, then overdue, then whoever waits longest, then the latest word. */
export function ordered(rows: readonly Row[], now: number): Row[] {
  const rank = (row: Row): number => {
    if (row.talks) return -1
    if (!row.since) return 2
    return now - Date.parse(row.since) > row.targetS * 1000 ? 0 : 1
  }
  return [...rows].sort((a, b) => {
    const difference = rank(a) - rank(b)
    if (difference) return difference
    if (a.since && b.since) return Date.parse(a.since) - Date.parse(b.since) || byId(a, b)
    return Date.parse(b.conversation.last_at) - Date.parse(a.conversation.last_at) || byId(a, b)
  })
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

/** Keeps an order while it is held: what is gone goes, what is new comes last. */
export function steady<T extends { id: string }>(next: readonly T[], held: readonly string[]): T[] {
  const by = new Map(next.map((each) => [each.id, each]))
  const kept = held.flatMap((id) => by.get(id) ?? [])
  const old = new Set(held)
  return [...kept, ...next.filter((each) => !old.has(each.id))]
}

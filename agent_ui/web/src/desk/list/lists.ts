import type { Conversation } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { seconds } from '@desk/stream/clock'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { ordered, tabOf, tabs, type Row, type Tab } from './ordering'

/** A queue that the hub no longer names gets this target. */
const DEFAULT_TARGET_S = 120
/** Overdue rows move up; once in this time is enough. */
const ORDER_MS = 5_000

/** The agent's conversations by tab, in order. */
export const useLists = defineStore('lists', () => {
  const session = useSession()
  const world = useWorld()

  const talks = (id: string): boolean => {
    const call = world.callOf.get(id)
    return call?.state === 'assigned' && call.owner === session.me?.id
  }

  function rowOf(conversation: Conversation): Row {
    const item = world.work.get(conversation.id)
    const waits = item?.state === 'waiting' || item?.state === 'offered'
    const since = conversation.unanswered_since ?? (waits ? (item?.enqueued_at ?? null) : null)
    const targetS = session.queue(conversation.queue)?.service_level_s ?? DEFAULT_TARGET_S
    return { id: conversation.id, conversation, item, since, targetS, talks: talks(conversation.id) }
  }

  const grouped = computed(() => {
    const groups: Record<Tab, Row[]> = { open: [], waiting: [], 'wrap-up': [], unassigned: [] }
    for (const conversation of world.world.conversation.values()) {
      const item = world.work.get(conversation.id)
      const tab = tabOf(conversation, item, session.me?.id ?? '', talks(conversation.id))
      if (tab) groups[tab].push(rowOf(conversation))
    }
    return groups
  })
  const step = computed(() => Math.floor(seconds.value / ORDER_MS) * ORDER_MS)
  const rows = computed(() => {
    const now = step.value
    return Object.fromEntries(tabs.map((tab) => [tab, ordered(grouped.value[tab], now)])) as Record<Tab, Row[]>
  })
  /** The rows of a tab and one more, which is not counted in it. */
  function withOne(tab: Tab, id: string): Row[] {
    const conversation = world.world.conversation.get(id)
    if (!conversation || rows.value[tab].some((row) => row.id === id)) return rows.value[tab]
    return ordered([...grouped.value[tab], rowOf(conversation)], step.value)
  }
  /** The tab that a conversation stands in; null: none of this agent's. */
  const standing = (id: string): Tab | null => tabs.find((tab) => grouped.value[tab].some((row) => row.id === id)) ?? null
  const mine = computed(() => {
    const { open, waiting, 'wrap-up': wrapUp } = grouped.value
    return open.length + waiting.length + wrapUp.length
  })
  const unread = computed(() =>
    [...grouped.value.open, ...grouped.value.waiting].filter(
      ({ conversation }) => conversation.inbound_seq > conversation.seen_seq,
    ),
  )
  const offered = computed(() => world.offers.filter((offer) => offer.state === 'pending').length)
  const attention = computed(() => unread.value.length + offered.value)

  return { rows, grouped, withOne, standing, mine, unread, attention }
})

/** Whether a row holds the words that somebody searches for. */
export function matches(row: Row, words: string): boolean {
  const { customer, subject, number, preview } = row.conversation
  const text = [customer.name, subject, `#${number}`, preview].join(' ').normalize('NFKC').toLowerCase()
  return words.normalize('NFKC').toLowerCase().split(/\s+/).every((word) => text.includes(word))
}

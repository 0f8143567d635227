import type { Agent, Conversation, Item } from '@desk/model/entities'
import { signOf, type Sign } from '@desk/parts/presence'
import { useSession } from '@desk/session/session'
import { seconds } from '@desk/stream/clock'
import { useWorld } from '@desk/stream/world'
import { waiting } from '@desk/list/waiting'
import { computed, type Ref } from 'vue'

export interface WaitRow {
  id: string
  item: Item
  conversation: Conversation
  targetS: number
}

export interface AgentRow {
  id: string
  agent: Agent
  sign: Sign
  since: string | null
  work: { item: Item; conversation: Conversation }[]
}

const rank: Readonly<Record<Sign, number>> = {
  missed: 0,
  lost: 1,
  available: 2,
  busy: 3,
  wrap_up: 4,
  away: 5,
  offline: 6,
}
const held: ReadonlySet<string> = new Set(['assigned', 'wrap_up'])

/** What the board shows, from the streams alone; `queue` empty: all of them. */
export function useBoard(queue: Ref<string>) {
  const world = useWorld()
  const session = useSession()

  const items = computed(() =>
    [...world.work.values()].flatMap((item) => {
      const conversation = world.world.conversation.get(item.conversation)
      const wanted = !queue.value || item.queue === queue.value
      return conversation && wanted ? [{ item, conversation }] : []
    }),
  )
  const waits = computed<WaitRow[]>(() =>
    items.value
      .filter(({ item }) => item.state === 'waiting' || item.state === 'offered')
      .map(({ item, conversation }) => ({
        id: item.id,
        item,
        conversation,
        targetS: session.queue(item.queue)?.service_level_s ?? 120,
      }))
      .sort((a, b) => Date.parse(a.item.enqueued_at) - Date.parse(b.item.enqueued_at) || (a.id < b.id ? -1 : 1)),
  )
  const agents = computed<AgentRow[]>(() =>
    [...world.world.agent.values()]
      .filter((agent) => !queue.value || agent.queues.includes(queue.value))
      .map((agent) => ({
        id: agent.id,
        agent,
        ...signOf(agent),
        work: items.value.filter(({ item }) => item.owner === agent.id && held.has(item.state)),
      }))
      .sort((a, b) => rank[a.sign] - rank[b.sign] || a.agent.name.localeCompare(b.agent.name)),
  )
  const late = computed(() => {
    const now = seconds.value
    return waits.value.filter((row) => waiting(row.item.enqueued_at, now, row.targetS).urgency === 'late')
  })
  const bySign = computed(() => {
    const counts = new Map<Sign, number>()
    for (const { sign } of agents.value) counts.set(sign, (counts.get(sign) ?? 0) + 1)
    return counts
  })
  const serving = computed(() => items.value.filter(({ item }) => item.state === 'assigned').length)
  const room = computed(() =>
    agents.value
      .filter(({ agent }) => agent.presence === 'available' && agent.connected)
      .reduce((sum, { agent }) => sum + agent.free, 0),
  )

  return { waits, agents, late, bySign, serving, room }
}

import type { ChannelName } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { defineStore } from 'pinia'
import { computed, reactive, ref } from 'vue'

/** What happened to contacts since midnight, and who waits; null where nothing is divided. */
export interface Counts {
  waiting: number
  /** Of those who wait: who wants to be called. */
  callbacks: number
  oldest_at: string | null
  answered: number
  in_time: number
  abandoned: number
  service_level: number | null
  speed_of_answer_s: number | null
  handled: number
  handling_s: number | null
}

export type StaffSign = 'available' | 'busy' | 'wrap_up' | 'away' | 'missed' | 'lost'
export type Figure = 'waiting' | 'longest_wait' | 'expected_wait' | 'service_level' | 'abandoned'

/** A figure of a queue is past its limit: `under` for a service level, else `over`. */
export interface Alert {
  id: string
  queue: string
  when: Figure
  over?: number
  under?: number
  reached: number
  began_at: string
}

interface Staff {
  agents: Record<StaffSign, number>
  /** Work ÷ (work + available without work), of today. */
  occupancy: number | null
}

export interface QueueFigures extends Counts, Staff {
  queue: string
  expected_s: number | null
  /** The teams that help it now. */
  helped_by: { key: string; name: string; name_en: string }[]
  /** Below which service level supervisors are told. */
  least_level: number | null
  alerts: Alert[]
  channels: Partial<Record<ChannelName, Counts>>
}

export interface AgentFigures {
  agent: string
  occupancy: number | null
  answered: number
  declined: number
  missed: number
  handled: number
  handling_s: number | null
  /** Units in use. */
  load: Partial<Record<ChannelName, number>>
}

export interface Told {
  queues: QueueFigures[]
  agents: AgentFigures[]
  whole: Staff[]
}

/** The figures of today, as the hub last told them. */
export const useFigures = defineStore('figures', () => {
  const session = useSession()
  const queues = reactive(new Map<string, QueueFigures>())
  const agents = reactive(new Map<string, AgentFigures>())
  const whole = ref<Staff | null>(null)
  const alerts = computed(() =>
    [...queues.values()].filter((view) => session.queue(view.queue)).flatMap((view) => view.alerts).sort((a, b) => (a.began_at < b.began_at ? -1 : 1)),
  )

  function told(news: Told): void {
    for (const view of news.queues) queues.set(view.queue, view)
    for (const view of news.agents) agents.set(view.agent, view)
    whole.value = news.whole.at(-1) ?? whole.value
  }

  return { queues, agents, whole, alerts, told }
})

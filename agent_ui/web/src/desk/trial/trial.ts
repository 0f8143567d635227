import { call } from '@desk/acts/api'
import type { Difference } from '@desk/admin/DiffList.vue'
import { shallowRef } from 'vue'
import type { Kept } from './kept'

/** A mean over replications; one of them alone has no error. */
export interface Estimate {
  mean: number
  se: number | null
  ci95: [number, number] | null
}

export type Figures = Record<string, Estimate | Record<string, Estimate>>

export interface Pair {
  old: Figures
  new: Figures
  difference: Figures
}

/** A queue's half hours; null where nobody came. */
export interface Course {
  offered: number[]
  service_level: (number | null)[]
  mean_wait_s: (number | null)[]
}

export interface Compared {
  queues: Record<string, Pair>
  teams: Record<string, Pair>
  total: Pair
  half_hours: Record<string, { old: Course; new: Course }>
}

/** From so many seconds on so many agents may take what waits. */
export interface Step {
  after_s: number
  agents: number
}

export interface Trial extends Kept {
  day: string
  factor: number
  /** Of how many weeks the day is forecast; 0: the recorded day. */
  weeks: number
  changes: Difference[]
  reach: Record<string, { old: Step[]; new: Step[] }>
  recorded: { queues: Record<string, Record<string, number>>; total: Record<string, number> } | null
  figures: Compared | null
  left_out: { contacts?: number; agents?: number }
}

export interface Days {
  first: string | null
  last: string | null
  before_today: string | null
}

export interface Change {
  kind: string
  key: string
  body: unknown
  based_on: number | null
}

/** Days that can be replayed. */
export function useDays() {
  const days = shallowRef<Days | null>(null)
  async function look(): Promise<void> {
    days.value = null
    days.value = await call<Days>('GET', '/trials/days')
  }
  return { days, look }
}

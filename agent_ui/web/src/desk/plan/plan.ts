import type { Kept } from '@desk/trial/kept'
import type { Change, Pair } from '@desk/trial/trial'

export type Wished = 'service_level' | 'mean_wait_s' | 'abandoned'
export const WISHED: readonly Wished[] = ['service_level', 'mean_wait_s', 'abandoned']

export interface Move {
  kind: 'agent' | 'skill' | 'ring'
  queue: string
  team: string
  agent: string | null
  agent_name: string
  skill: string
  level: number
  after_s: number
  /** Seconds of the day. */
  spans: [number, number][]
  replications: number
  verdict: 'gives' | 'harms' | 'nothing' | 'unsure'
  gain: number
  harmed: string[]
  effect: { queues: Record<string, Pair>; total: Pair }
  /** What a trial of it takes; null for somebody who would have to be hired. */
  changes: Change[] | null
}

export interface Search extends Kept {
  day: string
  weeks: number
  queue: string
  figure: Wished
  thought_of: number | null
  base: { total: Pair } | null
  moves: Move[]
  left_out: { contacts?: number; agents?: number }
}

export interface HalfHour {
  arrivals: number
  load: number
  needed: number | null
  paid: number | null
  there: number
  own: number
  expected: number | null
  abandoned: number | null
  asa_s: number | null
  occupancy: number | null
  recorded: number | null
}

export interface Together {
  arrivals: number
  needed: number
  pooled: number
  paid: number
  there: number
}

export interface QueueStaffing {
  target_s: number
  accept_s: number
  handling_s: number | null
  patience_s: number | null
  at_once: number
  half_hours: HalfHour[]
}

export interface Staffing {
  queues: Record<string, QueueStaffing>
  total: Together[] | null
}

/** A row of the plan: one half hour of a queue, or of all together. */
export interface PlanRow {
  at: number
  arrivals: number
  needed: number | null
  paid: number | null
  /** Who was there for it. */
  own: number
  there: number
  pooled: number | null
  expected: number | null
  recorded: number | null
}

/** The half hours in which anybody comes or is there. */
export function rowsOf(staffing: Staffing, queue: string): PlanRow[] {
  const found = queue ? (staffing.queues[queue]?.half_hours ?? []) : (staffing.total ?? [])
  const rows = found.map((one, at): PlanRow => ({
    at,
    arrivals: one.arrivals,
    needed: one.needed,
    paid: one.paid,
    own: 'own' in one ? one.own : one.there,
    there: one.there,
    pooled: 'pooled' in one ? one.pooled : null,
    expected: 'expected' in one ? one.expected : null,
    recorded: 'recorded' in one ? one.recorded : null,
  }))
  const busy = rows.filter(({ arrivals, there }) => arrivals > 0 || there > 0)
  return rows.slice(busy[0]?.at ?? 0, (busy.at(-1)?.at ?? -1) + 1)
}

/** Agents who are missing; less than half of one is nobody. */
export const missing = ({ needed, own }: PlanRow): number => Math.max(0, Math.round((needed ?? 0) - own))

export const clock = (at: number): string => `${Math.floor(at / 2)}:${at % 2 ? '30' : '00'}`
export const clockOf = (seconds: number): string => {
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}

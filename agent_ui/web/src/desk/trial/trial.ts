import { call, Problem } from '@desk/acts/api'
import { computed, onBeforeUnmount, shallowRef } from 'vue'

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

export interface Trial {
  id: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  day: string
  factor: number
  /** Of how many weeks the day is forecast; 0: the recorded day. */
  weeks: number
  done: number
  of: number
  recorded: { queues: Record<string, Record<string, number>>; total: Record<string, number> } | null
  figures: Compared | null
  left_out: { contacts?: number; agents?: number; help?: number }
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
  based_on: number
}

const PAUSE_MS = 500

/** One trial at a time: the one before ends when the next begins, and when the page goes. */
export function useTrial() {
  const trial = shallowRef<Trial | null>(null)
  const days = shallowRef<Days | null>(null)
  const problem = shallowRef<Problem | null>(null)
  let mine: AbortController | null = null
  let id = ''

  async function look(): Promise<void> {
    days.value = null
    days.value = await call<Days>('GET', '/trials/days')
  }

  async function start(asked: { day: string; factor: number; weeks: number; changes: readonly Change[] }): Promise<void> {
    stop()
    const own = (mine = new AbortController())
    problem.value = null
    try {
      const begun = await call<{ id: string }>('POST', '/trials', { body: asked })
      if (own.signal.aborted) return forget(begun.id)
      id = begun.id
      await follow(begun.id, own.signal)
    } catch (error) {
      if (own.signal.aborted) return
      if (!(error instanceof Problem)) throw error
      problem.value = error
    }
  }

  async function follow(own: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = await call<Trial>('GET', `/trials/${own}`, { signal })
      if (signal.aborted) return
      trial.value = now
      if (now.state === 'done' || now.state === 'failed') return
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  /** Nobody looks at it any more: the hub need not go on with it. */
  function forget(gone: string): void {
    void call('DELETE', `/trials/${gone}`).catch(() => undefined)
  }

  function stop(): void {
    mine?.abort()
    if (id) forget(id)
    id = ''
    trial.value = null
  }
  onBeforeUnmount(stop)

  const running = computed(() => trial.value?.state === 'waiting' || trial.value?.state === 'running')
  return { trial, days, problem, running, look, start, stop }
}

import { call, Problem } from '@desk/acts/api'
import { computed, onBeforeUnmount, shallowRef } from 'vue'

export interface Kept {
  id: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  done: number
  of: number
}

const PAUSE_MS = 500

/** What the hub computes for this page, one at a time: the one before ends when the next begins, and when the page goes. */
export function useKept<T extends Kept>(path: string) {
  const kept = shallowRef<T | null>(null)
  const problem = shallowRef<Problem | null>(null)
  let mine: AbortController | null = null
  let id = ''

  async function start(body: unknown): Promise<void> {
    stop()
    const own = (mine = new AbortController())
    problem.value = null
    try {
      const begun = await call<{ id: string }>('POST', path, { body })
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
      const now = await call<T>('GET', `${path}/${own}`, { signal })
      if (signal.aborted) return
      kept.value = now
      if (now.state === 'done' || now.state === 'failed') return
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  /** Nobody looks at it any more: the hub need not go on with it. */
  function forget(gone: string): void {
    void call('DELETE', `${path}/${gone}`).catch(() => undefined)
  }

  function stop(): void {
    mine?.abort()
    if (id) forget(id)
    id = ''
    kept.value = null
  }
  onBeforeUnmount(stop)

  const running = computed(() => kept.value?.state === 'waiting' || kept.value?.state === 'running')
  return { kept, problem, running, start, stop }
}

import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import { quarters, seconds } from './clock'

/** A break that is shorter is not worth a word. */
export const QUIET_MS = 2_000
/** After this the desk says that nothing reaches it. */
export const OFFLINE_MS = 60_000
const BACK_MS = 3_000
const STEPS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000]

/** How long to wait before try number `attempt` (from 0); a fifth of it is chance. */
export function backOff(attempt: number, chance: number = Math.random()): number {
  const step = STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)] ?? 15_000
  return Math.round(step * (0.9 + 0.2 * chance))
}

export type Banner =
  | { kind: 'none' }
  | { kind: 'reconnecting'; inSeconds: number }
  | { kind: 'offline'; forSeconds: number }
  | { kind: 'back'; changed: number }

/** The state of the live connection, and what the pages say about it. */
export const useLink = defineStore('link', () => {
  const ready = ref(false)
  const everReady = ref(false)
  const downSince = ref<number | null>(null)
  const nextTryAt = ref<number | null>(null)
  const back = ref<{ changed: number; until: number } | null>(null)

  const local = (): number => Date.now()

  function lost(): void {
    ready.value = false
    downSince.value ??= local()
  }

  function restored(changed: number): void {
    const since = downSince.value
    const noticed = since !== null && local() - since >= QUIET_MS
    if (everReady.value && noticed) back.value = { changed, until: local() + BACK_MS }
    ready.value = true
    everReady.value = true
    downSince.value = null
    nextTryAt.value = null
  }

  const banner = computed<Banner>(() => {
    void quarters.value
    void seconds.value
    const now = local()
    if (!ready.value && downSince.value !== null) {
      const gone = now - downSince.value
      if (gone >= OFFLINE_MS) return { kind: 'offline', forSeconds: Math.floor(gone / 1000) }
      if (gone < QUIET_MS) return { kind: 'none' }
      const left = Math.max(0, (nextTryAt.value ?? now) - now)
      return { kind: 'reconnecting', inSeconds: Math.ceil(left / 1000) }
    }
    if (back.value && now < back.value.until) return { kind: 'back', changed: back.value.changed }
    return { kind: 'none' }
  })

  return { ready, everReady, downSince, nextTryAt, banner, lost, restored }
})

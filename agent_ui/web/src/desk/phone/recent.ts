import { call as ask } from '@desk/acts/api'
import { useCalls } from '@desk/call/calls'
import type { CallAnswer, CallChannel, CallState } from '@shared/call/model'
import { ref, shallowRef, watch } from 'vue'

export type Which = 'mine' | 'missed' | 'all'

/** A call that has ended, as `GET /calls` tells it. */
export interface Recent {
  id: string
  conversation: string
  number: number
  customer: { id: string; name: string }
  channel: CallChannel
  by: 'web' | 'phone'
  direction: 'in' | 'out'
  state: CallState
  why: string
  began_at: string
  answered_at: string | null
  ended_at: string | null
  queue: string
  agents: string[]
  address: string
  answers: CallAnswer[]
}

interface Page {
  calls: Recent[]
  before: string | null
}

/** How a call went: an arrow and a colour beside its words. */
export function way({ direction, answered_at }: Pick<Recent, 'direction' | 'answered_at'>): { icon: string; tone: '' | 'ok' | 'bad' } {
  if (direction === 'out') return { icon: 'i-lucide-phone-outgoing', tone: answered_at ? 'ok' : '' }
  return answered_at ? { icon: 'i-lucide-phone-incoming', tone: 'ok' } : { icon: 'i-lucide-phone-missed', tone: 'bad' }
}

/** The last calls, page by page; they are asked for anew when a call has begun or ended. */
export function useRecent(which: () => Which) {
  const calls = useCalls()
  const shown = shallowRef<readonly Recent[] | null>(null)
  const error = shallowRef<unknown>(null)
  const before = ref<string | null>(null)
  const loading = ref(false)
  let turn = 0

  async function load(more = false): Promise<void> {
    const mine = ++turn
    loading.value = true
    const place = more && before.value ? `&before=${encodeURIComponent(before.value)}` : ''
    try {
      const page = await ask<Page>('GET', `/calls?of=${which()}&limit=50${place}`)
      if (mine !== turn) return
      shown.value = [...(more ? (shown.value ?? []) : []), ...page.calls]
      before.value = page.before
      error.value = null
    } catch (why) {
      if (mine === turn) error.value = why
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  watch(which, () => {
    shown.value = null
    void load()
  }, { immediate: true })
  watch(() => calls.running.length, () => void load())
  return { shown, error, before, loading, load }
}

import { useActing } from '@desk/acts/acting'
import { call as ask } from '@desk/acts/api'
import type { Conversation } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import type { CallView } from '@shared/call/model'
import { computed, ref } from 'vue'
import { useCalls } from './calls'

export type Target = { identity: string } | { number: string }

/** So long after its end a call can be made once more with one click. */
export const AGAIN_MS = 10_000

/** The call that an agent has just made in a conversation and that is over; null: none. */
export function justEnded(calls: Iterable<CallView>, conversation: string, agent: string, since: (at: string) => number): CallView | null {
  const mine = (each: CallView): boolean =>
    each.conversation === conversation && each.direction === 'out' && each.by === 'phone' && each.legs.some((leg) => leg.agent === agent)
  const found = [...calls].filter(mine).sort((a, b) => (a.began_at < b.began_at ? 1 : -1))[0]
  return found?.ended_at && since(found.ended_at) < AGAIN_MS ? found : null
}

/** The number that a call was made to. */
export const dialled = (call: CallView): string => call.legs.find((leg) => leg.party === 'customer')?.address ?? ''

/** Calling customers from this desk. */
export function useDialling() {
  const calls = useCalls()
  const session = useSession()
  const { act } = useActing()
  const busy = ref(false)

  const accounts = computed(() => session.hub?.accounts.some((each) => each.calls && !each.paused) ?? false)

  /** Whether a call can be made here now: an account makes them, nobody else serves, no other call. */
  function able(conversation: Conversation): boolean {
    const free = !conversation.owner || conversation.owner === session.me?.id
    return accounts.value && free && conversation.state !== 'closed' && !calls.mine && !busy.value
  }

  async function dial(conversation: string, target: Target): Promise<void> {
    busy.value = true
    await act('dial', () => ask('POST', `/conversations/${conversation}/call`, { body: target }))
    busy.value = false
  }

  return { able, dial, busy }
}

import { uuid7 } from '@desk/acts/uuid7'
import { useSending } from '@desk/acts/sending'
import { useSession } from '@desk/session/session'
import { hubNow } from '@desk/stream/clock'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { reactive, watch } from 'vue'

/** What an agent has put down for a wrap-up that is not over yet. */
export interface WrapUp {
  code: string
  note: string
  /** Its end is on its way to the hub. */
  finishing: boolean
}

/** Seconds that are left, as whole ones; null: no limit. Times in milliseconds, by the hub's clock. */
export function leftOf(until: string | null | undefined, now: number): number | null {
  return until ? Math.max(0, Math.ceil((Date.parse(until) - now) / 1000)) : null
}

/**
 * What stands in the wrap-ups. It stays while the agent looks at something else; when the time runs
 * out before the agent has finished, the note is kept with the conversation.
 */
export const useWrapUps = defineStore('wrapUps', () => {
  const world = useWorld()
  const sending = useSending()
  const session = useSession()
  const kept = reactive(new Map<string, WrapUp>())

  function of(conversation: string): WrapUp {
    if (!kept.has(conversation)) kept.set(conversation, { code: '', note: '', finishing: false })
    return kept.get(conversation) as WrapUp
  }

  function over(conversation: string, { note, finishing }: WrapUp): void {
    kept.delete(conversation)
    const text = note.trim()
    if (!text || finishing || !session.me) return
    const name = world.world.conversation.get(conversation)?.customer.name ?? ''
    sending.send({ id: uuid7(), conversation, mode: 'note', text, files: [], at: new Date(hubNow()).toISOString(), name })
  }

  watch(
    () => world.work,
    (work) => {
      for (const [id, wrapUp] of [...kept]) if (!work.has(id)) over(id, wrapUp)
    },
  )

  return { of }
})

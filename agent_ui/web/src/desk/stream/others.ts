import { useSession } from '@desk/session/session'
import { defineStore } from 'pinia'
import { reactive } from 'vue'
import { seconds } from './clock'
import type { Typing, Viewers } from './transport'

/** A typing sign that nobody renews is forgotten after this time. */
const TYPING_MS = 6_000

interface TypingSign {
  name: string
  until: number
}

/** What other people do right now: who types, who looks. Kept here only, never asked for again. */
export const useOthers = defineStore('others', () => {
  const session = useSession()
  const typing = reactive(new Map<string, Map<string, TypingSign>>())
  const viewers = reactive(new Map<string, Viewers['viewers']>())

  function typed(sign: Typing): void {
    if (sign.who === session.me?.id) return
    const signs = typing.get(sign.conversation) ?? new Map<string, TypingSign>()
    if (sign.on) signs.set(sign.who, { name: sign.name, until: Date.now() + TYPING_MS })
    else signs.delete(sign.who)
    typing.set(sign.conversation, signs)
  }

  function viewed(seen: Viewers): void {
    const others = seen.viewers.filter((viewer) => viewer.id !== session.me?.id)
    viewers.set(seen.conversation, others)
  }

  const customerTypes = (conversation: string): boolean => {
    void seconds.value
    const sign = typing.get(conversation)?.get('customer')
    return sign !== undefined && sign.until > Date.now()
  }

  return { typing, viewers, typed, viewed, customerTypes }
})

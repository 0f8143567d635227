import type { Message } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { useLink } from '@desk/stream/link'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { shallowRef, watch } from 'vue'
import { call } from './api'
import { Outbox, type Outgoing, type Refusal } from './outbox'

const keyOf = (agent: string): string => `madoguchi.outbox.${agent}`

function saved(agent: string): Outgoing[] {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(agent)) ?? '[]') as Outgoing[]
  } catch {
    return []
  }
}

/** A message is short and its id its own: an answer that takes so long is asked for again. */
const PATIENCE_MS = 4_000

/** The messages of this tab that are not yet with the hub; they survive a reload. */
export const useSending = defineStore('sending', () => {
  const session = useSession()
  const link = useLink()
  const { learn } = useWorld()
  const waiting = shallowRef<readonly Outgoing[]>([])
  const refusal = shallowRef<Refusal | null>(null)
  const agent = session.me?.id ?? ''

  async function post({ id, conversation, mode, text, files, newest, to }: Outgoing, signal: AbortSignal): Promise<void> {
    const body = { id, mode, text, files: files.map((file) => file.id), newest, to }
    const path = `/conversations/${conversation}/messages`
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    const message = await call<Message>('POST', path, { body, signal: patience })
    if (message?.id) learn('message', [message])
  }

  const outbox = new Outbox(post, {
    changed: (now) => {
      waiting.value = now
      sessionStorage.setItem(keyOf(agent), JSON.stringify(now))
    },
    refused: (given) => (refusal.value = given),
  })
  outbox.restore(saved(agent))
  watch(
    () => link.ready,
    (ready) => (ready ? outbox.resume() : outbox.pause()),
    { immediate: true },
  )
  useLive().onEvent((event) => {
    if (event.entity === 'message' && event.view) outbox.arrived(event.id)
  })

  return {
    waiting,
    refusal,
    send: (outgoing: Omit<Outgoing, 'state'>) => outbox.add(outgoing),
  }
})

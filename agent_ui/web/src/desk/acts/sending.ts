import type { Message } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { useLink } from '@desk/stream/link'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import { call } from './api'
import { heldOf, Outbox, type Outgoing } from './outbox'

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

/** The messages of this tab that are not with the hub, yet or for good; they survive a reload. */
export const useSending = defineStore('sending', () => {
  const session = useSession()
  const link = useLink()
  const { learn } = useWorld()
  const waiting = shallowRef<readonly Outgoing[]>([])
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

  /** By conversation: what its author has to decide about. */
  const held = computed(() => heldOf(waiting.value))
  /** What goes out by itself. */
  const coming = computed(() => {
    const still = new Set([...held.value.values()].flat())
    return waiting.value.filter((each) => !still.has(each))
  })
  const idsOf = (messages: readonly Outgoing[]): Set<string> => new Set(messages.map(({ id }) => id))

  return {
    held,
    coming,
    send: (outgoing: Omit<Outgoing, 'state'>) => outbox.add(outgoing),
    again: (messages: readonly Outgoing[], newest?: string) => outbox.again(idsOf(messages), newest),
    take: (messages: readonly Outgoing[]) => outbox.take(idsOf(messages)),
    restore: (taken: readonly Outgoing[]) => outbox.restoreTaken(taken),
  }
})

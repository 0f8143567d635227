import type { Conversation, Item, Offer } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { defineStore } from 'pinia'
import { computed, markRaw, shallowReactive } from 'vue'
import { emptyWorld, fold, Source, type Change } from './fold'

const ended: ReadonlySet<string> = new Set(['done', 'cancelled', 'abandoned'])

/** Of a conversation's work by text and by a call: a call's wrap-up is done first, then texts count. */
const first = (item: Item): number => (item.kind !== 'call' ? 1 : item.state === 'wrap_up' ? 0 : 2)

/** Everything that this desk knows: a fold over the streams, and over what REST calls answered. */
export const useWorld = defineStore('world', () => {
  const world = markRaw(emptyWorld(() => shallowReactive(new Map())))
  const session = useSession()

  /** Takes views that a REST call answered. */
  function learn<V extends { id: string; version: number }>(entity: string, views: readonly V[]): void {
    for (const view of views) {
      const change: Change = { entity, id: view.id, version: view.version, view }
      fold(world, change, Source.rest)
    }
  }

  /**
   * Takes the truth about some messages: those that were held when it was asked for, in this span,
   * and are not told are gone. What has come meanwhile the answer could not know.
   */
  function relearnMessages(conversations: ReadonlySet<string>, held: ReadonlySet<string>, told: ReadonlySet<string>, from: string): void {
    for (const message of [...world.message.values()]) {
      if (!conversations.has(message.conversation) || !held.has(message.id) || told.has(message.id)) continue
      if (message.received_at > from) world.message.delete(message.id)
    }
  }

  function reset(): void {
    for (const map of Object.values(world)) map.clear()
  }

  const me = computed(() => world.agent.get(session.me?.id ?? ''))
  const work = computed(() => {
    const found = new Map<string, Item>()
    for (const item of world.item.values()) {
      if (ended.has(item.state)) continue
      const other = found.get(item.conversation)
      if (!other || first(item) < first(other)) found.set(item.conversation, item)
    }
    return found
  })
  /** The unfinished work of a call, by conversation. */
  const callOf = computed(() => {
    const calls = [...world.item.values()].filter((item) => item.kind === 'call' && !ended.has(item.state))
    return new Map(calls.map((item) => [item.conversation, item]))
  })
  const itemsOf = computed(() => {
    const found = new Map<string, Item[]>()
    for (const item of world.item.values()) {
      found.set(item.conversation, [...(found.get(item.conversation) ?? []), item])
    }
    return found
  })
  const drafts = computed(
    () => new Map([...world.draft.values()].map((draft) => [draft.conversation, draft])),
  )
  const offers = computed<Offer[]>(() =>
    [...world.offer.values()].filter((offer) => offer.agent === session.me?.id),
  )
  const conversationsOf = (customer: string): Conversation[] =>
    [...world.conversation.values()].filter((each) => each.customer.id === customer)

  return {
    world, learn, relearnMessages, reset, me, work, callOf, itemsOf, drafts, offers, conversationsOf,
  }
})

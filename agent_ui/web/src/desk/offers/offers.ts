import { Problem, call } from '@desk/acts/api'
import type { Offer } from '@desk/model/entities'
import { quarters } from '@desk/stream/clock'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowReactive, watch } from 'vue'

export const declineReasons = ['busy', 'skill', 'break', 'other'] as const
export type DeclineReason = (typeof declineReasons)[number]
export type Outcome = 'lost' | 'declined' | 'timed_out' | 'withdrawn' | 'ended'

export interface Closing {
  offer: Offer
  outcome: Outcome
  winner: string
  until: number
}

/** How long the end of an offer is shown. */
const SHOWN_MS = 4_000
/** Withdrawn because the customer went, not because of the hub. */
const customerWent = new Set(['cancelled', 'abandoned', 'customer_left', 'done'])

/** Offers to this agent: those that wait for an answer, and how the last ones ended. */
export const useOffers = defineStore('offers', () => {
  const world = useWorld()
  const accepting = ref<string | null>(null)
  const answered = reactive(new Set<string>())
  const closing = shallowReactive(new Map<string, Closing>())
  const missed = ref(0)

  /** Only the hub ends an offer: this machine's idea of the hub's time may be wrong. */
  const pending = computed(() =>
    world.offers
      .filter((each) => each.state === 'pending' && !answered.has(each.id))
      .sort((a, b) => Date.parse(a.deadline) - Date.parse(b.deadline)),
  )
  const closings = computed(() => [...closing.values()].filter(({ until }) => until > quarters.value))

  function close(offer: Offer, outcome: Outcome, winner = ''): void {
    if (closing.has(offer.id)) return
    closing.set(offer.id, { offer, outcome, winner, until: quarters.value + SHOWN_MS })
  }

  function ended(offer: Offer): void {
    if (offer.state === 'timed_out') missed.value += 1
    else if (offer.state === 'withdrawn' && offer.winner_name) close(offer, 'lost', offer.winner_name)
    else if (offer.state === 'withdrawn') close(offer, customerWent.has(offer.reason) ? 'ended' : 'withdrawn')
  }

  watch(
    () => world.offers,
    (now, before) => {
      const waited = new Set(before.filter((each) => each.state === 'pending').map((each) => each.id))
      for (const offer of now) if (waited.has(offer.id) && offer.state !== 'pending') ended(offer)
    },
  )
  watch(
    () => world.me?.presence,
    (presence) => presence !== 'missed' && (missed.value = 0),
  )

  /** The conversation that is now this agent's; null if somebody or something was first. */
  async function accept(offer: Offer): Promise<string | null> {
    if (accepting.value) return null
    accepting.value = offer.id
    try {
      const { conversation } = await call<{ conversation: string }>('POST', `/offers/${offer.id}/accept`)
      answered.add(offer.id)
      return conversation || offer.conversation
    } catch (error) {
      refused(offer, error)
      return null
    } finally {
      accepting.value = null
    }
  }

  function refused(offer: Offer, error: unknown): void {
    if (!(error instanceof Problem) || error.status !== 409) throw error
    answered.add(offer.id)
    if (error.code === 'taken') close(offer, 'lost', String(error.facts['agent_name'] ?? ''))
    else if (error.code === 'timed_out') close(offer, 'timed_out')
    else close(offer, error.code === 'declined' ? 'declined' : 'withdrawn')
  }

  async function decline(offer: Offer, reason: DeclineReason): Promise<void> {
    answered.add(offer.id)
    try {
      await call('POST', `/offers/${offer.id}/decline`, { body: { reason } })
      close(offer, 'declined')
    } catch (error) {
      answered.delete(offer.id)
      throw error
    }
  }

  return { accepting, pending, closings, missed, accept, decline }
})

import type { Offer } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { clockOffset, quarters, startTicking } from '@desk/stream/clock'
import { useWorld } from '@desk/stream/world'
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import en from '@catalogue/en.json'
import { expect, test } from 'vitest'
import OfferCard from './OfferCard.vue'
import { useOffers } from './offers'

const offer = {
  id: 'o', version: 1, item: 'i', agent: 'ann', state: 'pending', conversation: 'c', number: 1, queue: 'q',
  channel: 'sms', topic: '', subject: '', preview: 'hello', handover: null, open: [], facts: [], waited_s: 0,
  customer: { id: 'p', name: '', identities: [] }, transfer: false, service_level_s: 20,
  enqueued_at: '2026-11-22T05:00:00Z', made_at: '2026-11-22T05:00:00Z', deadline: '2026-11-22T05:00:20Z',
} as unknown as Offer

test('an offer whose time is over by the local clock stays until the hub ends it, and says so', async () => {
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().me = { id: 'ann' } as never
  const { world } = useWorld()
  world.offer.set('o', offer)
  clockOffset.sample('2026-11-22T06:00:00Z', Date.now())
  startTicking()()
  expect(quarters.value).toBeGreaterThan(Date.parse(offer.deadline) + 3_000_000)
  const offers = useOffers()
  expect(offers.pending.map(({ id }) => id)).toEqual(['o'])
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en } })
  const card = mount(OfferCard, {
    props: { offer, busy: false, locked: false, first: true, declining: false },
    global: { plugins: [pinia, i18n], stubs: { UIcon: true, DeclineMenu: true, OfferRing: true } },
  })
  expect(card.get('[role=timer]').text()).toBe('Time is over')
  expect(card.get('.accept').attributes('disabled')).toBeUndefined()
  clockOffset.sample('2026-11-22T04:00:00Z', Date.now())
  startTicking()()
  await nextTick()
  expect(card.get('[role=timer]').text()).toBe('20s')
  world.offer.set('o', { ...offer, version: 2, state: 'timed_out' } as Offer)
  expect(offers.pending).toEqual([])
})

test('an offered call says what was chosen in the menu, what was written last, and how the last matter ended', () => {
  const pinia = createPinia()
  setActivePinia(pinia)
  const earlier = { conversation: 'e', number: 7, channel: 'email', subject: 'Invoice', preview: '', state: 'closed', owner_name: 'Kenji', last_at: '2026-11-14T05:00:00Z', queue: 'q', code: 'solved' }
  const answers = [{ step: 'language', name: 'language', value: 'en' }, { step: 'what', name: 'topic', value: 'Returns' }]
  const rung = { ...offer, channel: 'voice', preview: 'The lid is cracked', call: { id: 'x', answers }, earlier: [earlier] } as unknown as Offer
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en } })
  const card = mount(OfferCard, {
    props: { offer: rung, busy: false, locked: false, first: true, declining: false },
    global: { plugins: [pinia, i18n], stubs: { UIcon: true, DeclineMenu: true, OfferRing: true } },
  })
  const rows = Object.fromEntries(card.findAll('dt').map((each, at) => [each.text(), card.findAll('dd')[at]?.text()]))
  expect(rows['Matter']).toBe('English, Returns')
  expect(rows['Last message']).toBe('The lid is cracked')
  expect(rows['Before']).toContain('Invoice, solved, Kenji')
})

import { call as ask, Problem } from '@desk/acts/api'
import { uuid7 } from '@desk/acts/uuid7'
import { leading } from '@desk/notify/tabs'
import { useSession } from '@desk/session/session'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { Devices } from '@shared/call/devices'
import { noMedia, WebMedia, type Media, type MediaState } from '@shared/call/media'
import type { CallView, Leg } from '@shared/call/model'
import { connector } from '@shared/call/peer'
import { Recorder } from '@shared/call/recorder'
import { PhoneMedia, type Pass, type PhonePorts } from '@shared/call/softphone'
import { Speakers } from '@shared/call/sound'
import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef, watch } from 'vue'
import { callsOf, carried, carry, invited, joins } from './carrying'

interface Carried {
  call: string
  leg: string
  media: Media
}

type MakeMedia = (call: CallView, leg: Leg) => Media

/** The calls that this desk knows, and the media of the one that its person is in. */
export const useCalls = defineStore('calls', () => {
  const { world } = useWorld()
  const session = useSession()
  const live = useLive()
  // What has private members works as itself only, not as a store's reactive proxy of it.
  const devices = markRaw(new Devices(navigator.mediaDevices ?? null, localStorage))
  const speakers = markRaw(new Speakers(() => devices.chosen('speaker')))
  const state = shallowRef<MediaState>(noMedia)
  /** When each lost connection was lost, by leg. */
  const lostAt = shallowRef<ReadonlyMap<string, number>>(new Map())
  const busy = ref(false)
  const carrying = shallowRef<Carried | null>(null)
  let servers: RTCIceServer[] = []

  const running = computed(() => [...world.call.values()].filter((each) => each.state !== 'ended'))
  const own = computed(() => callsOf(running.value, session.me?.id ?? ''))
  const asked = computed(() => own.value.find(({ leg }) => invited(leg)) ?? null)
  /** The call that one is in; who is in none may be asked into one. */
  const mine = computed(() => {
    const there = own.value.filter(({ leg }) => !invited(leg))
    return there.find(({ leg }) => leg.id === carrying.value?.leg) ?? there[0] ?? asked.value
  })
  const of = (conversation: string): CallView | undefined =>
    running.value.find((each) => each.conversation === conversation)

  async function post(call: string, path: string, body?: object): Promise<void> {
    await ask('POST', `/calls/${call}/${path}`, body ? { body } : {})
  }

  function told(now: MediaState): void {
    state.value = now
    const lost = [...now.links].filter(([, link]) => link === 'reconnecting')
    lostAt.value = new Map(lost.map(([leg]) => [leg, lostAt.value.get(leg) ?? Date.now()]))
    if (now.elsewhere) carry(null)
  }

  /** Brings a part of a recording to the hub; what it refuses is never sent again. */
  async function keep(call: string, take: string, number: number, part: Blob): Promise<boolean> {
    const form = new FormData()
    form.append('file', part, `${number}.webm`)
    try {
      await ask('POST', `/calls/${call}/recordings/${take}/${number}`, { form })
      return true
    } catch (error) {
      return error instanceof Problem && !error.passing
    }
  }

  /** What carries the sound, by how the call came; a kind that is missing is carried elsewhere. */
  const kinds: Partial<Record<CallView['by'], MakeMedia>> = {
    web: (call, leg) => {
      const recorder = new Recorder((take, number, part) => keep(call.id, take, number, part), uuid7)
      const ports = { connect: connector(() => servers), send: live.signal, newId: uuid7, devices, speakers, recorder }
      return new WebMedia(call, leg.id, ports, told)
    },
    phone: (call, leg) => {
      const pass = (): Promise<Pass> => ask<Pass>('GET', `/calls/${call.id}/legs/${leg.id}/softphone`)
      const device: PhonePorts['device'] = async (given, chosen) => (await import('./twilio')).twilioDevice(given, chosen)
      return new PhoneMedia(call, leg.id, { pass, device, devices }, told)
    },
  }

  function mediaOf({ call, leg }: { call: CallView; leg: Leg }): Media | null {
    if (carrying.value?.leg === leg.id) return carrying.value.media
    const media = kinds[call.by]?.(call, leg)
    if (!media) return null
    carrying.value?.media.leave()
    carrying.value = { call: call.id, leg: leg.id, media }
    return media
  }

  /** Takes the microphone for a leg of one's own, here; whoever had it in another tab lets it go. */
  async function join(now = mine.value): Promise<void> {
    const media = now && !busy.value ? mediaOf(now) : null
    if (!now || !media) return
    busy.value = true
    carry(now.leg.id)
    try {
      media.mute(now.leg.muted)
      if (now.call.by === 'web') servers = (await ask<{ servers: RTCIceServer[] }>('GET', '/calls/ice').catch(() => ({ servers: [] }))).servers
      await media.join()
      // Of telephone calls the provider tells who is in.
      if (now.leg.state === 'ringing' && now.call.by === 'web') await connected(now.call.id, now.leg.id)
      await restorePicture(media, now.leg)
    } catch (error) {
      if (error instanceof Problem) throw error
    } finally {
      busy.value = false
    }
  }

  /** Two tabs, or a lost answer: that the leg is connected already is no fault. */
  async function connected(call: string, leg: string): Promise<void> {
    await post(call, `legs/${leg}/connected`).catch((error: unknown) => {
      if (!(error instanceof Problem && error.status === 409)) throw error
    })
  }

  /** After a reload the camera is shown again; without it the talk goes on. */
  async function restorePicture(media: Media, leg: Leg): Promise<void> {
    if (leg.video && state.value.pictures.get(leg.id) === undefined) await media.camera?.(true).catch(() => undefined)
  }

  function leave(): void {
    carrying.value?.media.leave()
    carrying.value = null
    carry(null)
    state.value = noMedia
  }

  const recording = computed(
    () => state.value.joined && mine.value?.leg.party === 'agent' && mine.value.leg.id === carrying.value?.leg && mine.value.call.recording === 'on',
  )
  watch(recording, (on) => carrying.value?.media.record?.(on))
  watch(
    mine,
    (now) => {
      if (carrying.value && !own.value.some(({ leg }) => leg.id === carrying.value?.leg)) leave()
      if (now && carrying.value?.leg === now.leg.id) {
        carrying.value.media.update(now.call)
        carrying.value.media.mute(now.leg.muted)
      } else if (now && joins(now.leg, carried(), leading())) void join().catch(() => undefined)
    },
    { immediate: true },
  )
  live.onSignal((signal) => carrying.value?.media.hear?.(signal))

  const media = computed(() => carrying.value?.media ?? null)

  /** The customer of a call, as its conversation has them. */
  const nameOf = (call: CallView | undefined): string => (call ? (world.conversation.get(call.conversation)?.customer.name ?? '') : '')

  return { nameOf, running, mine, asked, of, post, state, lostAt, busy, media, devices, speakers, join, leave }
})

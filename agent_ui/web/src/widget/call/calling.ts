import type { Devices } from '@shared/call/devices'
import { noMedia, WebMedia, type MediaState, type WebPorts } from '@shared/call/media'
import type { CallChannel, CallSeen, LegSeen, Signal, SignalAnswer } from '@shared/call/model'
import type { Counter } from '../talk/counter'
import { newId } from '../talk/ids'
import { Store } from '../talk/store'
import { Check } from './check'

export interface CallScreen {
  /** The call of this visitor, while it goes on and until its end is read. */
  call: CallSeen | null
  media: MediaState
  /** Asked for, and not heard of yet. */
  starting: CallChannel | null
  refused: boolean
  /** This page carries it; else another tab does. */
  here: boolean
}

export interface CallPorts {
  devices: Devices
  speakers: WebPorts['speakers']
  connect: WebPorts['connect']
  meter?: WebPorts['meter']
  /** Plays music until the returned function is called. */
  music: () => () => void
  /** What this tab keeps over a reload. */
  kept: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
}

const KEY = 'madoguchi:call'
/** The last call whose end was read here: what it asked is not asked again. */
const READ = 'madoguchi:call:read'

/** A visitor's leg in their own call. */
export const own = (call: CallSeen): LegSeen | undefined => call.legs.find(({ party }) => party === 'customer')

/** Whether there is nobody to hear: nobody came yet, one is held, or the way is lost. */
export function alone(call: CallSeen, media: MediaState): boolean {
  if (call.state === 'waiting' || own(call)?.held) return true
  const links = [...media.links.values()]
  return links.length > 0 && links.every((link) => link === 'reconnecting')
}

/** The calls of a visitor: before, in and after them. */
export class Calling {
  readonly store = new Store<CallScreen>({ call: null, media: noMedia, starting: null, refused: false, here: true })
  readonly check: Check
  #media: WebMedia | null = null
  #stopMusic: (() => void) | null = null

  constructor(
    readonly counter: Counter,
    private readonly ports: CallPorts,
  ) {
    this.check = new Check(ports.devices, ports.meter)
    counter.session.onSignal = (body) => this.#media?.hear(body as Signal)
    counter.session.store.watch((now, before) => now.call !== before.call && this.#follow(now.call))
    this.#follow(counter.session.store.value.call)
  }

  get devices(): Devices {
    return this.ports.devices
  }

  /** Begins a call with the devices that were checked; without a camera it is one of voices. `agreed`: it may be recorded. */
  async start(agreed = false): Promise<void> {
    const channel = this.check.store.value?.picture ? 'video' : 'voice'
    this.check.close()
    const id = newId()
    this.ports.kept.setItem(KEY, id)
    this.#show({ starting: channel, refused: false, call: null })
    const answer = await this.#ask('start', id, channel)
    if (answer?.ok && agreed) await this.#ask('agree', id, channel)
    if (answer?.ok) return
    this.ports.kept.removeItem(KEY)
    this.#show({ starting: null, refused: true })
  }

  /** Takes the microphone here; another tab lets it go. */
  async join(): Promise<void> {
    const { call } = this.store.value
    if (!call || call.state === 'ended') return
    this.ports.kept.setItem(KEY, call.id)
    this.#show({ here: true })
    this.#media ??= this.#makeMedia(call)
    this.#media.mute(own(call)?.muted ?? false)
    const joined = await this.#media.join().then(() => true, () => false)
    if (!joined) return
    if (own(call)?.state === 'ringing') await this.act('connected')
    if (own(call)?.video && !this.store.value.media.pictures.has(own(call)?.id ?? '')) await this.camera(true)
  }

  mute(on: boolean): Promise<boolean> {
    this.#media?.mute(on)
    return this.act(on ? 'mute' : 'unmute')
  }

  async camera(on: boolean): Promise<void> {
    const shown = await this.#media?.camera(on).then(() => true, () => false)
    if (shown) await this.act('video', on)
    else if (on) await this.act('video', false)
  }

  async screen(on: boolean): Promise<void> {
    const shown = await this.#media?.screen(on, () => void this.screen(false)).then(() => true, () => false)
    if (!shown) return
    await this.act('screen', on)
    const { call } = this.store.value
    if (!on && call && own(call)?.video) await this.#media?.camera(true).catch(() => undefined)
  }

  async hangUp(): Promise<void> {
    this.#leave()
    await this.act('end')
  }

  async act(act: string, on = true): Promise<boolean> {
    const { call } = this.store.value
    const answer = call && (await this.#ask(act, call.id, call.channel, on))
    return answer?.ok ?? false
  }

  /** Says how the call was; it is asked once. */
  async score(value: number): Promise<void> {
    const { call } = this.store.value
    if (!call) return
    const answer = await this.counter.session.ask('call', { id: call.id, act: 'score', value })
    if (answer?.ok) this.#show({ call: { ...call, survey: null } })
  }

  /** How loud each leg is, 0 to 1. */
  levels(): ReadonlyMap<string, number> {
    return this.#media?.levels() ?? new Map()
  }

  async changeMicrophone(): Promise<void> {
    await this.#media?.changeMicrophone()
  }

  /** The end was read. */
  forget(): void {
    const { call } = this.store.value
    if (call?.survey) this.ports.kept.setItem(READ, call.id)
    this.#show({ call: null, refused: false, starting: null })
  }

  async #ask(act: string, id: string, media: CallChannel, on = true): Promise<SignalAnswer> {
    const { session } = this.counter
    await session.connect(true)
    if (session.store.value.link !== 'live') await live(session.store)
    const topic = this.counter.screen.value.topic
    return session.ask('call', { id, act, media, on, ...(topic && act === 'start' && { topic }) })
  }

  #follow(call: CallSeen | null): void {
    const before = this.store.value.call
    if (call && call.id === before?.id && call.version < before.version) return
    if (!call || call.state === 'ended') return this.#ended(call)
    const here = this.ports.kept.getItem(KEY) === call.id
    this.#show({ call, starting: null, here })
    this.#media?.update(call)
    this.#music()
    if (here && !this.#media) void this.join()
  }

  /** A call that ended while this page looked on is shown once more; one that asks how it was, until it is read. */
  #ended(call: CallSeen | null): void {
    const known = this.store.value.call
    this.#leave()
    this.ports.kept.removeItem(KEY)
    const asks = call?.survey && this.ports.kept.getItem(READ) !== call.id
    if (call && (known?.id === call.id || this.store.value.starting || asks)) this.#show({ call, starting: null })
    else if (!call && known && known.state !== 'ended') this.#show({ call: { ...known, state: 'ended' } })
  }

  #makeMedia(call: CallSeen): WebMedia {
    const { session } = this.counter
    const send = (signal: Signal): Promise<SignalAnswer> => session.ask('signal', signal)
    const { music: _music, kept: _kept, ...ports } = this.ports
    return new WebMedia(call, own(call)?.id ?? '', { ...ports, send, newId }, (media) => this.#told(media))
  }

  #told(media: MediaState): void {
    this.#show({ media, ...(media.elsewhere && { here: false }) })
    if (media.elsewhere) this.#leave()
    this.#music()
  }

  #music(): void {
    const { call, media, here } = this.store.value
    const wanted = here && media.joined && call !== null && call.state !== 'ended' && alone(call, media)
    if (wanted) this.#stopMusic ??= this.ports.music()
    else this.#silence()
  }

  #silence(): void {
    this.#stopMusic?.()
    this.#stopMusic = null
  }

  #leave(): void {
    const media = this.#media
    this.#media = null
    media?.leave()
    this.#silence()
  }

  #show(change: Partial<CallScreen>): void {
    this.store.set({ ...this.store.value, ...change })
  }
}

/** Resolves when the hub is there, or after a while. */
function live(store: Counter['session']['store']): Promise<void> {
  return new Promise((resolve) => {
    const stop = store.watch(({ link, asking }) => {
      if (link === 'live' && !asking) done()
    })
    const timer = setTimeout(() => done(), 10_000)
    const done = (): void => {
      clearTimeout(timer)
      stop()
      resolve()
    }
  })
}


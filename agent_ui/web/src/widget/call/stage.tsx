import { Devices, type Source } from '@shared/call/devices'
import { FakeConnection, leg, track, type FakeTrack } from '@shared/call/fakes'
import type { CallSeen, LegSeen } from '@shared/call/model'
import { act, render } from '@testing-library/preact'
import { snapshot } from '../state/samples'
import { Counter } from '../talk/counter'
import { about, FakeRest, FakeWire, kept, later } from '../talk/fakes'
import { Calling } from './calling'
import { CallPane, CallPill } from './CallPane'
import { Offer } from './Offer'
import { Here } from './words'

/** A visitor's page that makes calls, with a fake hub, fake devices and a fake network; for tests. */
export const customer = (change: Partial<LegSeen> = {}): LegSeen => leg('customer', { party: 'customer', name: '', ...change })
export const agent = leg('b', { name: '高橋' })

export function seen(change: Partial<CallSeen> = {}): CallSeen {
  return {
    id: 'call',
    version: 1,
    conversation: 'c1',
    channel: 'voice',
    state: 'talking',
    why: '',
    began_at: '2026-11-24T05:00:00Z',
    answered_at: '2026-11-24T05:00:10Z',
    ended_at: null,
    legs: [customer(), agent],
    hears: [['customer', 'b'], ['b', 'customer']],
    ...change,
  }
}

export const waiting = (change: Partial<CallSeen> = {}): CallSeen =>
  seen({ state: 'waiting', answered_at: null, legs: [customer()], hears: [], ...change })

export class CallStage {
  readonly wire = new FakeWire()
  readonly given: (MediaStreamTrack & FakeTrack)[] = []
  readonly kept = new Map<string, string>()
  /** Whether music plays. */
  music = 0
  /** Kinds of devices that the browser refuses, with its reason. */
  refuse: Partial<Record<'audio' | 'video', string>> = {}
  counter!: Counter
  calling!: Calling
  #pos = 0

  async open(calls: 'voice' | 'video' = 'video', going: CallSeen[] = []): Promise<this> {
    this.wire.answers['hello'] = () => snapshot(0, { calls: going })
    const rest = new FakeRest()
    rest.site = { ...about, calls }
    const page = () => ({ url: 'https://shop.example/', title: 'Shop' })
    this.counter = new Counter({ rest, connect: this.wire.connect, kept: kept(), account: 'shop', page }, ['ja'])
    await this.counter.start()
    this.counter.open()
    await this.counter.session.connect(true)
    this.wire.hears.up()
    await later()
    this.calling = new Calling(this.counter, this.#ports())
    await later()
    return this
  }

  #ports() {
    const give = (kind: 'audio' | 'video'): MediaStream => {
      const name = this.refuse[kind]
      if (name) throw Object.assign(new Error(name), { name })
      const made = track(kind)
      this.given.push(made)
      return { getTracks: () => [made] } as unknown as MediaStream
    }
    const source = {
      getUserMedia: async (asked: MediaStreamConstraints) => give(asked.video ? 'video' : 'audio'),
      enumerateDevices: async () => [],
    } as Source
    return {
      devices: new Devices(source, null),
      speakers: { play: () => undefined, only: () => undefined, stop: () => undefined },
      connect: () => new FakeConnection(),
      meter: () => ({ level: () => 0.3, stop: () => undefined }),
      music: () => {
        this.music += 1
        return () => void (this.music -= 1)
      },
      kept: {
        getItem: (key: string) => this.kept.get(key) ?? null,
        setItem: (key: string, value: string) => void this.kept.set(key, value),
        removeItem: (key: string) => void this.kept.delete(key),
      },
    }
  }

  /** The hub tells how the call stands. */
  async tell(call: CallSeen): Promise<void> {
    const prev = this.#pos
    this.#pos += 1
    const event = { pos: this.#pos, prev, entity: 'call', id: call.id, version: call.version, view: call, at: call.began_at }
    await act(async () => {
      this.wire.hears.event('event', event)
      await later()
    })
  }

  /** Begins a voice call; the id under which the hub has heard of it. */
  async begin(channel: 'voice' | 'video' = 'voice'): Promise<string> {
    await this.calling.check.open(channel)
    await this.calling.start()
    return String(this.wire.bodies('call')[0]?.['id'])
  }

  /** What the hub was asked of calls. */
  get acts(): unknown[] {
    return this.wire.bodies('call').map(({ act, on }) => (act === 'video' ? [act, on] : act))
  }

  show(): void {
    render(
      <Here.Provider value={this.calling}>
        <CallPane />
        <Offer slim={false} />
        <CallPill />
      </Here.Provider>,
    )
  }
}

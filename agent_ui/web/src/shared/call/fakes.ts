import type { CallView, Leg, SendSignal, Signal } from './model'
import type { Connection, Transceiver } from './peer'

/** Calls, tracks, connections and a hub's relay that behave like real ones; for tests. */
export const leg = (id: string, change: Partial<Leg> = {}): Leg => ({
  id,
  party: 'agent',
  agent: id,
  name: id,
  state: 'connected',
  held: false,
  muted: false,
  video: false,
  screen: false,
  mode: '',
  why: '',
  rang_at: '2026-11-26T05:00:00Z',
  connected_at: '2026-11-26T05:00:10Z',
  ended_at: null,
  held_at: null,
  ...change,
})

export function callOf(hears: [string, string][], change: Partial<CallView> = {}): CallView {
  const legs = [...new Set(hears.flat())].map((id) => leg(id, id === 'a' ? { party: 'customer', agent: null } : {}))
  return {
    id: 'call',
    version: 1,
    conversation: 'c1',
    item: 'i1',
    queue: 'support',
    channel: 'voice',
    by: 'web',
    direction: 'in',
    state: 'talking',
    why: '',
    began_at: '2026-11-26T05:00:00Z',
    answered_at: '2026-11-26T05:00:10Z',
    ended_at: null,
    answers: [],
    recording: 'off',
    legs,
    hears,
    timeline: [],
    ...change,
  }
}

export class FakeTrack extends EventTarget {
  enabled = true
  stopped = false

  constructor(readonly kind: 'audio' | 'video') {
    super()
  }

  stop(): void {
    this.stopped = true
  }

  getSettings(): MediaTrackSettings {
    return {}
  }
}

export const track = (kind: 'audio' | 'video' = 'audio'): MediaStreamTrack & FakeTrack =>
  new FakeTrack(kind) as unknown as MediaStreamTrack & FakeTrack

class FakeLine implements Transceiver {
  direction: RTCRtpTransceiverDirection = 'recvonly'
  readonly sender: Transceiver['sender'] & { track: MediaStreamTrack | null } = {
    track: null,
    replaceTrack: async (track) => void (this.sender.track = track),
  }
  readonly receiver

  constructor(kind: 'audio' | 'video') {
    this.receiver = { track: track(kind), getSynchronizationSources: () => [{ audioLevel: 0.5 }] }
  }
}

/** Connects with the connection whose description it is given; its network breaks when told. */
export class FakeConnection implements Connection {
  static made: FakeConnection[] = []
  connectionState: RTCPeerConnectionState = 'new'
  signalingState: RTCSignalingState = 'stable'
  readonly lines: FakeLine[] = []
  restarts = 0
  onicecandidate: Connection['onicecandidate'] = null
  onconnectionstatechange: Connection['onconnectionstatechange'] = null
  ontrack: Connection['ontrack'] = null

  constructor() {
    FakeConnection.made.push(this)
  }

  addTransceiver(kind: string): Transceiver {
    const line = new FakeLine(kind as 'audio' | 'video')
    this.lines.push(line)
    return line
  }

  getTransceivers = (): Transceiver[] => this.lines

  async createOffer({ iceRestart }: { iceRestart: boolean }) {
    if (iceRestart) this.restarts += 1
    return { sdp: `offer ${FakeConnection.made.indexOf(this)}` }
  }

  createAnswer = async () => ({ sdp: `answer ${FakeConnection.made.indexOf(this)}` })

  async setLocalDescription({ type }: { type: string }): Promise<void> {
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable'
    this.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: 'way' }) } })
  }

  async setRemoteDescription({ type }: { type: string; sdp: string }): Promise<void> {
    if (type === 'offer' && !this.lines.length) this.lines.push(new FakeLine('audio'), new FakeLine('video'))
    this.signalingState = 'stable'
    for (const { receiver } of this.lines) this.ontrack?.({ track: receiver.track })
    this.become('connected')
  }

  addIceCandidate = async (): Promise<void> => undefined
  getStats = async () => new Map<string, never>()

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }

  close(): void {
    this.connectionState = 'closed'
  }

  /** What goes out by its lines. */
  get sends(): (MediaStreamTrack | null)[] {
    return this.lines.map(({ sender }) => sender.track)
  }
}

/** Carries signals between pages, or says that nobody is there. */
export class FakeRelay {
  readonly pages = new Map<string, ((signal: Signal) => void)[]>()
  readonly carried: Signal[] = []

  readonly send: SendSignal = async (signal) => {
    const there = this.pages.get(signal.to) ?? []
    if (!there.length) return { ok: false, code: 'not_there' }
    this.carried.push(signal)
    const own = signal.data.type === 'join' ? (this.pages.get(signal.from) ?? []) : []
    for (const hear of [...own, ...there]) hear(structuredClone(signal))
    return { ok: true }
  }

  /** The kinds of what a leg has said, in order, without candidates. */
  said(from: string): string[] {
    return this.carried.filter((each) => each.from === from && each.data.type !== 'candidate').map(({ data }) => data.type)
  }
}

import type { SendSignal, Signal, SignalData } from './model'
import { Peer, type Connect, type Outgoing } from './peer'
import { Heard, later, SignalQueue, Voice, type Later } from './signals'

export type Link = 'connecting' | 'connected' | 'reconnecting'

export interface PartnerPorts {
  connect: Connect
  send: SendSignal
  /** A UUIDv7. */
  newId: () => string
  wait?: Later
}

export interface PartnerHears {
  link: (link: Link) => void
  track: (track: MediaStreamTrack) => void
  /** A newer page of the own leg talks with this one. */
  taken: () => void
}

/** A connection that has not come, or does not come back, in this time is begun anew. */
const PATIENCE_MS = 6_000

/**
 * The connection with one other leg, whatever happens to it: the smaller leg id offers, the other
 * asks for an offer by a join; after a reload of either side, or a long silence, all begins anew
 * under another session.
 */
export class Partner {
  link: Link = 'connecting'
  peer: Peer | null = null
  readonly #queue: SignalQueue
  #heard = new Heard()
  #voice: Voice
  #outgoing: Outgoing = { audio: null, video: null }
  #wanted = true
  #offering = false
  #doing: Promise<unknown> = Promise.resolve()
  #forget: () => void = () => undefined

  constructor(
    private readonly call: string,
    private readonly me: string,
    private readonly other: string,
    private readonly ports: PartnerPorts,
    private readonly hears: PartnerHears,
  ) {
    this.#queue = new SignalQueue(ports.send, ports.wait)
    this.#voice = new Voice(call, me, ports.newId())
    this.#join()
  }

  /** Whether one hears the other now: only then a lost connection is sought again. */
  want(wanted: boolean): void {
    if (wanted && !this.#wanted && !this.peer?.connected) this.#join()
    this.#wanted = wanted
  }

  send(outgoing: Outgoing): void {
    this.#outgoing = outgoing
    this.#then(async () => this.peer?.send(outgoing))
  }

  hear(signal: Signal): void {
    this.#then(() => this.#take(signal))
  }

  /** Takes what another page of the own leg has said: the newest of them talks. */
  echo({ session }: Signal): void {
    if (session > this.#voice.session) this.hears.taken()
  }

  close(): void {
    this.#drop()
    this.#wanted = false
    this.#forget()
  }

  /** Resolves when all that has come so far is done. */
  settled(): Promise<unknown> {
    return this.#doing
  }

  get #offers(): boolean {
    return this.me < this.other
  }

  #then(act: () => Promise<unknown>): void {
    this.#doing = this.#doing.then(act).catch(() => this.#drop())
  }

  async #take(signal: Signal): Promise<void> {
    const { data, session } = signal
    const order = this.#heard.take(signal)
    if (order === 'old') return
    if (data.type !== 'join' && data.to_session !== this.#voice.session) return
    if (order === 'fresh') this.#drop()
    await this.#follow(data, session, order === 'fresh')
  }

  async #follow(data: SignalData, session: string, fresh: boolean): Promise<void> {
    switch (data.type) {
      case 'join':
        return this.#joined(fresh)
      case 'offer':
        return (this.peer ??= this.#connect(session)).answer(data.sdp)
      case 'answer':
        return this.#answered(data.sdp)
      case 'candidate':
        return this.peer?.candidate(data.candidate)
    }
  }

  async #joined(fresh: boolean): Promise<void> {
    if (this.#offers) await this.#offer()
    else if (fresh) this.#join()
  }

  /** Offers, unless an offer to the same page is on its way; to an old connection a new way. */
  async #offer(): Promise<void> {
    if (this.#offering) return
    this.#offering = true
    const again = this.peer !== null
    await (this.peer ??= this.#connect(this.#heard.session)).offer(again)
  }

  async #answered(sdp: string): Promise<void> {
    this.#offering = false
    await this.peer?.answered(sdp)
  }

  #connect(session: string): Peer {
    const peer = new Peer(this.ports.connect, session, {
      say: (data) => this.#say(data),
      state: (state) => this.peer === peer && this.#changed(state),
      track: (track) => this.hears.track(track),
    })
    void peer.send(this.#outgoing)
    this.#watch()
    return peer
  }

  #changed(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      this.#forget()
      this.#tell('connected')
      return
    }
    if (state !== 'disconnected' && state !== 'failed') return
    this.#lost()
    this.#watch()
    if (state !== 'failed' || !this.#wanted) return
    if (this.#offers) this.#then(() => this.#offer())
    else this.#join()
  }

  #say(data: SignalData): void {
    this.#queue.push(this.#voice.signal(this.other, data))
  }

  #join(): void {
    this.#say({ type: 'join' })
    this.#watch()
  }

  #watch(): void {
    this.#forget()
    const patience = this.#offers ? PATIENCE_MS : PATIENCE_MS * 1.5
    this.#forget = (this.ports.wait ?? later)(() => this.#again(), patience)
  }

  #again(): void {
    if (!this.#wanted || this.peer?.connected) return
    this.#drop()
    this.#voice = new Voice(this.call, this.me, this.ports.newId())
    this.#join()
  }

  #drop(): void {
    if (this.peer) this.#lost()
    this.peer?.close()
    this.peer = null
    this.#offering = false
    this.#queue.clear()
  }

  #lost(): void {
    if (this.link === 'connected') this.#tell('reconnecting')
  }

  #tell(link: Link): void {
    this.link = link
    this.hears.link(link)
  }
}

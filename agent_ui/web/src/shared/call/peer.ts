import type { SignalData } from './model'

/** What a peer connection must be able to do; a browser's RTCPeerConnection is one. */
export interface Connection {
  readonly connectionState: RTCPeerConnectionState
  readonly signalingState: RTCSignalingState
  addTransceiver: (kind: string, init: { direction: RTCRtpTransceiverDirection }) => Transceiver
  getTransceivers: () => Transceiver[]
  createOffer: (options: { iceRestart: boolean }) => Promise<{ sdp?: string }>
  createAnswer: () => Promise<{ sdp?: string }>
  setLocalDescription: (description: { type: 'offer' | 'answer'; sdp: string }) => Promise<void>
  setRemoteDescription: (description: { type: 'offer' | 'answer'; sdp: string }) => Promise<void>
  addIceCandidate: (candidate: RTCIceCandidateInit) => Promise<void>
  getStats: () => Promise<{ forEach: (each: (entry: never) => void) => void }>
  close: () => void
  onicecandidate: ((event: { candidate: { toJSON: () => RTCIceCandidateInit } | null }) => void) | null
  onconnectionstatechange: (() => void) | null
  ontrack: ((event: { track: MediaStreamTrack }) => void) | null
}

export interface Transceiver {
  direction: RTCRtpTransceiverDirection
  readonly sender: { readonly track: MediaStreamTrack | null; replaceTrack: (track: MediaStreamTrack | null) => Promise<void> }
  readonly receiver: { readonly track: MediaStreamTrack; getSynchronizationSources: () => { audioLevel?: number }[] }
}

export type Connect = () => Connection

/** Connects browsers, by way of these servers where there is no direct way. */
export const connector =
  (servers: () => RTCIceServer[]): Connect =>
  () =>
    new RTCPeerConnection({ iceServers: servers() }) as unknown as Connection

/** What goes to one other leg; null: not a packet. */
export interface Outgoing {
  audio: MediaStreamTrack | null
  video: MediaStreamTrack | null
}

export interface PeerHears {
  say: (data: SignalData) => void
  state: (state: RTCPeerConnectionState) => void
  track: (track: MediaStreamTrack) => void
}

/**
 * One peer connection, from its making to its close. It has one line for sound and one for pictures
 * from the beginning: what is sent on them changes without a new description.
 */
export class Peer {
  readonly #connection: Connection
  #outgoing: Outgoing = { audio: null, video: null }
  #described = false

  constructor(
    connect: Connect,
    /** The page load that it is connected with. */
    readonly session: string,
    private readonly hears: PeerHears,
  ) {
    this.#connection = connect()
    this.#connection.onicecandidate = ({ candidate }) => {
      if (candidate) hears.say({ type: 'candidate', candidate: candidate.toJSON(), to_session: session })
    }
    this.#connection.onconnectionstatechange = () => hears.state(this.#connection.connectionState)
    this.#connection.ontrack = ({ track }) => hears.track(track)
  }

  get connected(): boolean {
    return this.#connection.connectionState === 'connected'
  }

  /** Describes both lines to the other; with `again` it looks for a new way through the network. */
  async offer(again: boolean): Promise<void> {
    if (!this.#described) {
      this.#connection.addTransceiver('audio', { direction: 'sendrecv' })
      this.#connection.addTransceiver('video', { direction: 'sendrecv' })
      this.#described = true
    }
    await this.#apply()
    const { sdp = '' } = await this.#connection.createOffer({ iceRestart: again })
    await this.#connection.setLocalDescription({ type: 'offer', sdp })
    this.hears.say({ type: 'offer', sdp, to_session: this.session })
  }

  async answer(offered: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offered })
    this.#described = true
    for (const each of this.#connection.getTransceivers()) each.direction = 'sendrecv'
    await this.#apply()
    const { sdp = '' } = await this.#connection.createAnswer()
    await this.#connection.setLocalDescription({ type: 'answer', sdp })
    this.hears.say({ type: 'answer', sdp, to_session: this.session })
  }

  async answered(sdp: string): Promise<void> {
    if (this.#connection.signalingState !== 'have-local-offer') return
    await this.#connection.setRemoteDescription({ type: 'answer', sdp })
  }

  /** A way that is no longer of use is no fault. */
  async candidate(candidate: RTCIceCandidateInit): Promise<void> {
    await this.#connection.addIceCandidate(candidate).catch(() => undefined)
  }

  async send(outgoing: Outgoing): Promise<void> {
    this.#outgoing = outgoing
    if (this.#described) await this.#apply()
  }

  async #apply(): Promise<void> {
    for (const { sender, receiver } of this.#connection.getTransceivers()) {
      const track = this.#outgoing[receiver.track.kind === 'audio' ? 'audio' : 'video']
      if (sender.track !== track) await sender.replaceTrack(track)
    }
  }

  /** How loud the other is now, 0 to 1. */
  level(): number {
    const line = this.#connection.getTransceivers().find(({ receiver }) => receiver.track.kind === 'audio')
    return line?.receiver.getSynchronizationSources()[0]?.audioLevel ?? 0
  }

  stats(): ReturnType<Connection['getStats']> {
    return this.#connection.getStats()
  }

  close(): void {
    Object.assign(this.#connection, { onicecandidate: null, onconnectionstatechange: null, ontrack: null })
    this.#connection.close()
  }
}

/** A call as docs/calls.md describes it. Times are RFC 3339 in UTC. */
export type CallState = 'waiting' | 'talking' | 'ended'
export type CallChannel = 'voice' | 'video'
export type Party = 'customer' | 'agent' | 'expert' | 'supervisor' | 'number'
export type LegState = 'ringing' | 'connected' | 'ended'
export type Supervision = 'listen' | 'whisper' | 'barge'

/** One who takes part, as everybody in the call may know it. */
export interface LegSeen {
  id: string
  party: Party
  name: string
  state: LegState
  held: boolean
  muted: boolean
  video: boolean
  screen: boolean
  connected_at: string | null
}

export interface Leg extends LegSeen {
  /** Null: nobody who works here. */
  agent: string | null
  mode: '' | Supervision
  why: string
  /** Their number, where it is known. */
  address?: string
  /** The provider was asked to call them. */
  dialled?: boolean
  rang_at: string | null
  ended_at: string | null
  held_at: string | null
}

export interface CallAnswer {
  step: string
  name: string
  value: string
}

export interface CallMark {
  at: string
  kind: string
  leg: string | null
  by_name: string
  data: Record<string, unknown>
}

/** A call as its customer sees it: without those who only listen or help. */
export interface CallSeen {
  id: string
  version: number
  conversation: string
  channel: CallChannel
  state: CallState
  why: string
  began_at: string
  answered_at: string | null
  ended_at: string | null
  legs: LegSeen[]
  /** Who is to hear whom now: from, to. */
  hears: [from: string, to: string][]
  /** Customers only: null or absent where nothing is asked. */
  survey?: Survey | null
}

/** What a customer is asked after a call: a number between two, in the site's words. */
export interface Survey {
  from: number
  to: number
  text: string
  text_en: string
}

/** A call as desks see it. */
export interface CallView extends CallSeen {
  item: string | null
  queue: string
  by: 'web' | 'phone'
  direction: 'in' | 'out'
  answers: CallAnswer[]
  recording: 'off' | 'on' | 'paused'
  /** What the provider could not do last, and whether it is tried again. */
  trouble?: { what: string; leg: string; again: boolean; at: string } | null
  legs: Leg[]
  timeline: CallMark[]
}

/** What browsers say to each other by the hub. */
export type SignalData =
  | { type: 'join' }
  | { type: 'offer' | 'answer'; sdp: string; to_session: string }
  | { type: 'candidate'; candidate: RTCIceCandidateInit; to_session: string }

export interface Signal {
  call: string
  from: string
  to: string
  /** The sender's page load, a UUIDv7: of two of one leg the greater is the newer. */
  session: string
  seq: number
  data: SignalData
}

/** The hub's answer to a signal; null: there was none. */
export type SignalAnswer = { ok: boolean; code?: string } | null
export type SendSignal = (signal: Signal) => Promise<SignalAnswer>

export const hears = (call: CallSeen, from: string, to: string): boolean =>
  call.hears.some(([source, target]) => source === from && target === to)

/** The other ends of pairs that a leg is part of, each once. */
export function partners(call: CallSeen, me: string): string[] {
  const found = call.hears.flatMap(([from, to]) => (from === me ? [to] : to === me ? [from] : []))
  return [...new Set(found)]
}

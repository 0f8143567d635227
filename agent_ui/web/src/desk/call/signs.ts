import type { CallView, Leg, Party } from '@shared/call/model'
import type { Link } from '@shared/call/partner'

export type Tone = 'ringing' | 'connected' | 'held' | 'reconnecting'

/** How the tile of a leg looks, its word (under `desk.call.leg`), and since when. */
export interface LegSign {
  tone: Tone
  word: string
  since: string | null
}

/** The sign of a leg; `link` is the own connection with it, `web` that there is to be one, `waits` that nobody has come yet. */
export function legSign(leg: Leg, link: Link | undefined, web: boolean, waits = false): LegSign {
  if (leg.state === 'ringing') return { tone: 'ringing', word: leg.dialled ? 'dialling' : 'ringing', since: leg.rang_at }
  if (leg.held) return { tone: 'held', word: 'held', since: leg.held_at }
  if (waits && leg.state === 'connected' && !leg.agent) return { tone: 'ringing', word: 'waiting', since: leg.connected_at }
  if (web && link === 'reconnecting') return { tone: 'reconnecting', word: 'reconnecting', since: null }
  if (web && link === 'connecting') return { tone: 'ringing', word: 'connecting', since: null }
  return { tone: 'connected', word: talking(leg), since: null }
}

function talking(leg: Leg): string {
  if (leg.party === 'supervisor') return leg.mode || 'listen'
  if (leg.muted) return 'muted'
  return leg.party === 'expert' ? 'consulting' : 'talking'
}

const rank = { customer: 0, number: 0, agent: 1, expert: 2, supervisor: 3 } as const

/** The legs that tiles show: who is there or rung, customers first, not oneself. */
export function tiles(call: CallView, me: string | null): Leg[] {
  return call.legs.filter((leg) => leg.state !== 'ended' && leg.id !== me).sort((a, b) => rank[a.party] - rank[b.party])
}

/** What the bar can ask for; a detail is a leg, a mode or tones. */
export type BarAct =
  | 'mute' | 'unmute' | 'hold' | 'resume' | 'consult' | 'conference' | 'handOver' | 'transfer' | 'drop' | 'end'
  | 'park' | 'pause' | 'record' | 'camera' | 'screen' | 'digits' | 'supervise' | 'join'

export interface Controls {
  mute: boolean
  /** The customer's leg, to hold it or to let it back; null: not the own to do. */
  hold: Leg | null
  consult: boolean
  /** The colleague who was asked in, or is being rung. */
  expert: Leg | null
  /** The expert talks with the agent alone. */
  apart: boolean
  transfer: boolean
  park: boolean
  /** The recording, to stop it for a while or to go on; empty: there is none, or it is not the own to do. */
  recording: '' | 'on' | 'paused'
  keypad: boolean
  camera: boolean
  screen: boolean
  supervise: boolean
  /** To end the call, or to leave it; an agent may while they are still coming in. */
  end: boolean
}

/** What somebody may do in a call: an agent leads it, an expert talks, a supervisor joins. */
export function controlsOf(call: CallView, me: Leg | null, supervises: boolean): Controls {
  const leads = me?.party === 'agent' && me.state === 'connected'
  const there = me?.state === 'connected'
  const customer = call.legs.find((leg) => leg.party === 'customer' && leg.state === 'connected')
  const asked: readonly Party[] = ['expert', 'number']
  const expert = (leads && call.legs.find((leg) => asked.includes(leg.party) && leg.state !== 'ended')) || null
  const seen = there && call.by === 'web' && me.party !== 'supervisor'
  return {
    mute: there && !(me.party === 'supervisor' && me.mode === 'listen'),
    hold: (leads && customer) || null,
    consult: leads && !expert,
    expert,
    apart: expert?.state === 'connected' && (customer?.held ?? false),
    transfer: leads && !expert,
    park: leads && !expert && call.item !== null,
    recording: leads && call.recording !== 'off' ? call.recording : '',
    keypad: leads && call.by === 'phone',
    camera: seen && call.channel === 'video',
    screen: seen,
    supervise: supervises && (!me || me.party === 'supervisor') && call.state === 'talking',
    end: there || (me?.party === 'agent' && me.state === 'ringing'),
  }
}

const RESULTS: ReadonlySet<string> = new Set(['hung_up', 'abandoned', 'ended_by_supervisor', 'failed', 'lost', 'busy', 'no_answer', 'refused', 'closed'])

/** The word (under `desk.call.why`) for how a call ended. */
export function result(call: Pick<CallView, 'state' | 'why' | 'answered_at'>): string {
  if (call.state !== 'ended') return call.state
  if (RESULTS.has(call.why)) return call.why
  return call.answered_at ? 'hung_up' : 'abandoned'
}

/** How a running call is told in a list: its word (under `desk.call.leg`), since when, and whether its customer is held. */
export function running(call: CallView): { word: string; since: string; held: boolean } {
  const held = call.legs.find((leg) => leg.party === 'customer' && leg.held)
  if (held) return { word: 'held', since: held.held_at ?? call.began_at, held: true }
  if (call.state === 'talking') return { word: 'talking', since: call.answered_at ?? call.began_at, held: false }
  return { word: call.direction === 'out' ? 'dialling' : 'ringing', since: call.began_at, held: false }
}

/** Who of the center talked in a call, in the order in which they came, each once. */
export function speakers(call: CallView): string[] {
  const legs = call.legs.filter((leg) => leg.agent && leg.connected_at && leg.party !== 'supervisor')
  return [...new Set(legs.map((leg) => leg.name))]
}

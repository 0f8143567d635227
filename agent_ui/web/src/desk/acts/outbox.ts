import type { Mode } from '@desk/model/entities'
import { Problem } from './api'
import type { Uploaded } from './upload'
import { uuid7 } from './uuid7'

/** A message on its way. `id` is the message's own: repeating it is safe. */
export interface Outgoing {
  id: string
  conversation: string
  mode: Mode
  text: string
  files: Uploaded[]
  /** The newest message that the author saw; absent: send whatever came since. */
  newest?: string
  /** Another address of the customer than the one that wrote last. */
  to?: { identity: string; account: string }
  at: string
  state: 'queued' | 'sending' | 'refused'
  /** Why the hub refused it. */
  why?: Why
  /** Its author wants it sent although an earlier one was refused. */
  decided?: boolean
  /** Whom it is for, as last shown: the conversation may have left this desk meanwhile. */
  name?: string
}

/** A problem as it is kept: storage knows no classes. */
export type Why = Pick<Problem, 'status' | 'code' | 'message' | 'facts'>

export interface Post {
  /** `signal`: the connection was lost, no answer will come. */
  (outgoing: Outgoing, signal: AbortSignal): Promise<void>
}

export interface OutboxEvents {
  changed(waiting: readonly Outgoing[]): void
}

const BACK_OFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000]

/** How long to wait after `tries` passing faults (from 0). */
export const backOffMs = (tries: number): number => BACK_OFF_MS[Math.min(tries, BACK_OFF_MS.length - 1)] ?? 15_000

const laneOf = ({ conversation, mode }: Outgoing): string => `${conversation}/${mode}`

/**
 * What waits for its author to decide, by conversation, in the order of writing: what the hub
 * refused, and the later ones of its kind. Notes do not wait for replies, nor replies for notes.
 */
export function heldOf(waiting: readonly Outgoing[]): Map<string, Outgoing[]> {
  const held = new Map<string, Outgoing[]>()
  const blocked = new Set<string>()
  for (const each of waiting) {
    const lane = laneOf(each)
    if (each.state === 'refused') blocked.add(lane)
    else if (each.decided || !blocked.has(lane)) continue
    held.set(each.conversation, [...(held.get(each.conversation) ?? []), each])
  }
  return held
}

/**
 * Messages of this desk in order per conversation. A passing fault keeps a message and tries again
 * with the same id; a refused one stays, and what follows it waits, until its author has decided.
 * While paused nothing is sent, and what was under way waits again.
 */
export class Outbox {
  private waiting: Outgoing[] = []
  private busy = new Set<string>()
  private open = false
  private lost = new AbortController()
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | null = null

  constructor(
    private readonly post: Post,
    private readonly events: OutboxEvents,
  ) {}

  restore(saved: readonly Outgoing[]): void {
    this.waiting = saved.map((each) => (each.state === 'refused' ? each : { ...each, state: 'queued' }))
    this.tell()
  }

  add(outgoing: Omit<Outgoing, 'state'>): void {
    this.waiting = [...this.waiting, { ...outgoing, state: 'queued' }]
    this.tell()
    this.pump()
  }

  /** Forgets a message that the stream has shown: it has arrived. */
  arrived(id: string): void {
    if (this.waiting.some((each) => each.id === id)) this.drop(id)
  }

  /** Sends what was held after all; `newest`: the newest message that the author has seen by now. */
  again(ids: ReadonlySet<string>, newest?: string): void {
    this.inherit(ids)
    this.waiting = this.waiting.map((each) => {
      if (!ids.has(each.id) || each.state === 'sending') return each
      const { newest: _, why: __, ...rest } = each
      return { ...rest, id: uuid7(), state: 'queued', decided: true, ...(newest ? { newest } : {}) }
    })
    this.tell()
    this.pump()
  }

  /** Gives messages out of the outbox; those under way stay. */
  take(ids: ReadonlySet<string>): Outgoing[] {
    this.inherit(ids)
    const taken = this.waiting.filter((each) => ids.has(each.id) && each.state !== 'sending')
    this.waiting = this.waiting.filter((each) => !taken.includes(each))
    this.tell()
    this.pump()
    return taken
  }

  /** What waits behind a refused one goes only when its author says so, whatever becomes of that. */
  private inherit(ids: ReadonlySet<string>): void {
    const held = new Set([...heldOf(this.waiting).values()].flat())
    const lanes = new Set(this.waiting.filter((each) => ids.has(each.id)).map(laneOf))
    const why = new Map<string, Why>()
    this.waiting = this.waiting.map((each) => {
      const lane = laneOf(each)
      if (each.why) why.set(lane, each.why)
      const found = why.get(lane)
      return held.has(each) && lanes.has(lane) && found ? { ...each, state: 'refused', why: found } : each
    })
  }

  /** Takes back what was given out, to where it stood. */
  restoreTaken(taken: readonly Outgoing[]): void {
    this.waiting = [...this.waiting, ...taken].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    this.tell()
  }

  pause(): void {
    this.open = false
    this.lost.abort()
    this.lost = new AbortController()
  }

  resume(): void {
    this.open = true
    this.tries = 0
    this.pump()
  }

  private pump(): void {
    if (!this.open) return
    const heads = new Map<string, Outgoing>()
    const held = new Set([...heldOf(this.waiting).values()].flat())
    for (const each of this.waiting) {
      if (!held.has(each) && !heads.has(each.conversation)) heads.set(each.conversation, each)
    }
    for (const head of heads.values()) {
      if (!this.busy.has(head.conversation)) void this.deliver(head)
    }
  }

  private async deliver(outgoing: Outgoing): Promise<void> {
    this.busy.add(outgoing.conversation)
    this.mark(outgoing.id, 'sending')
    try {
      await this.post(outgoing, this.lost.signal)
      this.tries = 0
      this.drop(outgoing.id)
    } catch (error) {
      this.failed(outgoing, error)
    } finally {
      this.busy.delete(outgoing.conversation)
    }
    if (!this.timer) this.pump()
  }

  private failed(outgoing: Outgoing, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem(400, 'failed', String(error))
    // The session has ended: whoever signs in again finds it queued.
    if (problem.code === 'not_signed_in') this.pause()
    else if (!problem.passing) return this.refuse(outgoing.id, problem)
    this.mark(outgoing.id, 'queued')
    const wait = backOffMs(this.tries)
    this.tries += 1
    this.timer ??= setTimeout(() => {
      this.timer = null
      this.pump()
    }, wait)
  }

  private refuse(id: string, { status, code, message, facts }: Problem): void {
    const why = { status, code, message, facts }
    this.waiting = this.waiting.map((each) => (each.id === id ? { ...each, state: 'refused', decided: false, why } : each))
    this.tell()
  }

  private mark(id: string, state: Outgoing['state']): void {
    this.waiting = this.waiting.map((each) => (each.id === id ? { ...each, state } : each))
    this.tell()
  }

  private drop(id: string): void {
    this.waiting = this.waiting.filter((each) => each.id !== id)
    this.tell()
  }

  private tell(): void {
    this.events.changed(this.waiting)
  }
}

import type { Mode } from '@desk/model/entities'
import { Problem } from './api'
import type { Uploaded } from './upload'

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
  state: 'queued' | 'sending'
}

export interface Refusal {
  outgoing: Outgoing
  problem: Problem
}

export interface Post {
  /** `signal`: the connection was lost, no answer will come. */
  (outgoing: Outgoing, signal: AbortSignal): Promise<void>
}

export interface OutboxEvents {
  changed(waiting: readonly Outgoing[]): void
  refused(refusal: Refusal): void
}

const BACK_OFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000]

/**
 * Messages of this desk in order per conversation. A passing fault keeps a message and tries again
 * with the same id; a refusal gives it back. While paused nothing is sent, and what was under way
 * waits again.
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
    this.waiting = saved.map((each) => ({ ...each, state: 'queued' }))
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
    for (const each of this.waiting) {
      if (!heads.has(each.conversation)) heads.set(each.conversation, each)
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
    if (!problem.passing) {
      this.drop(outgoing.id)
      this.events.refused({ outgoing, problem })
      return
    }
    this.mark(outgoing.id, 'queued')
    const wait = BACK_OFF_MS[Math.min(this.tries, BACK_OFF_MS.length - 1)]
    this.tries += 1
    this.timer ??= setTimeout(() => {
      this.timer = null
      this.pump()
    }, wait)
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

import type { SendSignal, Signal, SignalData } from './model'

export type Later = (act: () => void, ms: number) => () => void

/** Does something later; returns how to forget it. */
export const later: Later = (act, ms) => {
  const timer = setTimeout(act, ms)
  return () => clearTimeout(timer)
}

const AGAIN_MS = [500, 1_000, 2_000, 4_000]

/** The signals to one leg, sent one after the other; each again until the hub has carried it. */
export class SignalQueue {
  #waiting: Signal[] = []
  #tries = 0
  #busy = false
  #forget: () => void = () => undefined

  constructor(
    private readonly send: SendSignal,
    private readonly wait: Later = later,
  ) {}

  push(signal: Signal): void {
    this.#waiting.push(signal)
    void this.#flush()
  }

  /** Forgets what has not gone: it belongs to a connection that is no more. */
  clear(): void {
    this.#forget()
    this.#waiting = []
    this.#tries = 0
  }

  async #flush(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    this.#forget()
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const answer = await this.send(next).catch(() => null)
      if (this.#waiting[0] !== next) continue
      if (!answer || (!answer.ok && answer.code === 'not_there')) {
        this.#forget = this.wait(() => void this.#flush(), AGAIN_MS[this.#tries++] ?? 4_000)
        break
      }
      this.#tries = 0
      this.#waiting.shift()
    }
    this.#busy = false
  }
}

/** Numbers what one page load says. */
export class Voice {
  #seq = 0

  constructor(
    private readonly call: string,
    private readonly leg: string,
    readonly session: string,
  ) {}

  signal(to: string, data: SignalData): Signal {
    this.#seq += 1
    return { call: this.call, from: this.leg, to, session: this.session, seq: this.#seq, data }
  }
}

/** What has come from one leg: each signal counts once, and nothing of an earlier page load. */
export class Heard {
  session = ''
  #seq = 0

  /** `old` is to be dropped; `fresh` is the first of a newer page load. */
  take({ session, seq }: Signal): 'old' | 'next' | 'fresh' {
    if (session < this.session || (session === this.session && seq <= this.#seq)) return 'old'
    const fresh = session !== this.session
    this.session = session
    this.#seq = seq
    return fresh ? 'fresh' : 'next'
  }
}

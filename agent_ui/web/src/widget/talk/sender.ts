import { needsKeeping, nextToSend } from '../state/outbox'
import { unfinished, type Action, type State } from '../state/state'
import type { Kept } from './kept'
import type { Store } from './store'

export interface Answer {
  ok: boolean
  code?: string
}

export type Ask = (name: string, body: object) => Promise<Answer | null>

const RETRY_MS = 2_000
const CROWDED_MS = 8_000

/** Sends the texts that wait, one after the other, until the hub has each. */
export class Sender {
  #busy = false

  constructor(
    private readonly store: Store<State>,
    private readonly dispatch: (action: Action) => void,
    private readonly ask: Ask,
  ) {}

  async flush(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (;;) {
      const { link, asking, crowded, outbox } = this.store.value
      const one = link === 'live' && !asking && !crowded ? nextToSend(outbox) : undefined
      if (!one) break
      this.dispatch({ type: 'sending', id: one.id })
      const { id, text, topic, attributes } = one
      const files = one.files.map((file) => file.id)
      this.#sent(id, await this.ask('send', { id, text, files, ...(topic && { topic }), ...(attributes && { attributes }) }))
    }
    this.#busy = false
  }

  #sent(id: string, answer: Answer | null): void {
    const code = answer?.code ?? ''
    if (answer?.ok) return this.dispatch({ type: 'taken', id })
    if (answer && !['too_many', 'unavailable', 'unknown_visitor'].includes(code)) {
      return this.dispatch({ type: 'refused', id, fault: code })
    }
    this.dispatch({ type: 'crowded', crowded: true })
    this.dispatch({ type: 'wait', id })
    const pause = code === 'too_many' ? CROWDED_MS : RETRY_MS
    setTimeout(() => this.dispatch({ type: 'crowded', crowded: false }), pause)
  }
}

/** Writes down what a reload must not lose. */
export function keep(kept: Kept, now: State, before: State): void {
  if (now.loaded || now.outbox.length) kept.set('unfinished', unfinished(now) ? '1' : null)
  if (now.outbox === before.outbox) return
  const stay = new Set<string>()
  for (const one of now.outbox.filter(needsKeeping)) {
    stay.add(one.id)
    if (!before.outbox.includes(one)) kept.keep(one)
  }
  for (const one of before.outbox) if (!stay.has(one.id)) kept.drop(one.id)
}

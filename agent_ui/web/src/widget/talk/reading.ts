import type { Message } from '../state/model'
import { fromAgents } from '../state/timeline'
import type { Session } from './session'

const GATHER_MS = 150

/** Tells the hub what has arrived and what has been read, gathered; counts what has not. */
export class Reading {
  readonly #told = new Set<string>()
  #readTo: string | null = null
  #timer = 0

  constructor(private readonly session: Session) {
    session.store.watch((now, before) => {
      if (now.messages !== before.messages || now.link !== before.link) this.#plan()
    })
  }

  /** The agent's texts that the visitor has not seen. */
  unread(): number {
    const read = Date.parse(this.session.ports.kept.get('read') ?? '') || 0
    return fromAgents(this.session.store.value).filter(
      (one) => one.state !== 'read' && Date.parse(one.at) > read,
    ).length
  }

  /** The visitor looks at the newest text. */
  look(): void {
    const newest = fromAgents(this.session.store.value).at(-1)
    if (!newest || !this.unread()) return
    this.session.ports.kept.set('read', newest.at)
    this.#readTo = newest.at
    this.#plan()
  }

  #plan(): void {
    clearTimeout(this.#timer)
    this.#timer = window.setTimeout(() => void this.#tell(), GATHER_MS)
  }

  async #tell(): Promise<void> {
    const state = this.session.store.value
    if (state.link !== 'live') return
    const delivered = fromAgents(state)
      .filter((one) => isNew(one) && !this.#told.has(one.id))
      .map(({ id }) => id)
    const readTo = this.#readTo
    if (!delivered.length && !readTo) return
    const body = { delivered: delivered.slice(-200), read_to: readTo }
    if (!(await this.session.ask('seen', body))?.ok) return
    delivered.forEach((id) => this.#told.add(id))
    if (this.#readTo === readTo) this.#readTo = null
  }
}

function isNew({ state }: Message): boolean {
  return state !== 'delivered' && state !== 'read'
}

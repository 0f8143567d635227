import type { HelloAnswer, Place, StreamEvent } from '../state/model'
import { empty, reduce, unfinished, type Action, type State } from '../state/state'
import type { Kept } from './kept'
import { Fault, type Rest } from './rest'
import { keep, Sender, type Answer } from './sender'
import { Store } from './store'
import type { Connect, Wire } from './wire'

export interface Ports {
  rest: Rest
  connect: Connect
  kept: Kept
  account: string
  /** The page that the visitor looks at. */
  page: () => { url: string; title: string }
  language: () => string
}

const RETRY_MS = 2_000
const TYPING_MS = 6_000

/** The visitor's side of the talk: the socket, the stream and the texts on their way. */
export class Session {
  readonly store = new Store<State>(empty)
  /** The widget is open: the socket stays even when no talk is going on. */
  watched = false
  /** What is told right after each hello. */
  afterHello: () => Promise<void> = () => Promise.resolve()
  /** Hears what another browser of a call says. */
  onSignal: (body: unknown) => void = () => undefined
  #sender: Sender
  #wire: Wire | null = null
  #opening: Promise<string | null> | null = null
  #typingTimer = 0

  constructor(readonly ports: Ports) {
    this.dispatch = this.dispatch.bind(this)
    this.#sender = new Sender(this.store, this.dispatch, (name, body) => this.ask(name, body))
    this.store.watch((now, before) => keep(ports.kept, now, before))
    this.restore()
  }

  dispatch(action: Action): void {
    this.store.set(reduce(this.store.value, action))
    const { hole, asking } = this.store.value
    if (hole && !asking && this.#wire) void this.#hello(this.#wire)
    void this.#sender.flush()
  }

  /** A talk is going on, here or since an earlier page. */
  get unfinished(): boolean {
    const { loaded } = this.store.value
    return unfinished(this.store.value) || (!loaded && !!this.ports.kept.get('unfinished'))
  }

  /** Takes up the texts that wait in this browser. */
  restore(): void {
    this.dispatch({ type: 'found', messages: this.ports.kept.outbox() })
  }

  /** Opens the socket, once; a visitor without a token gets one only where `fresh`. */
  async connect(fresh: boolean): Promise<void> {
    if (this.#wire || (!fresh && !this.ports.kept.get('token'))) return
    if (this.store.value.link === 'idle') this.dispatch({ type: 'link', link: 'connecting' })
    const token = await this.token()
    if (this.#wire) return
    if (token) {
      this.#dial()
      return
    }
    this.dispatch({ type: 'link', link: 'lost' })
    setTimeout(() => void this.connect(fresh), RETRY_MS)
  }

  /** Closes the socket where nobody looks and no talk is going on. */
  settle(): void {
    if (this.watched || this.unfinished) return
    this.#wire?.close()
    this.#wire = null
    this.dispatch({ type: 'link', link: 'idle' })
  }

  /** The visitor's token, made now if there is none; null when the hub gives none. */
  token(): Promise<string | null> {
    const { kept, rest, language } = this.ports
    const have = kept.get('token')
    if (have) return Promise.resolve(have)
    this.#opening ??= rest
      .session(language())
      .then((made) => {
        if (!kept.get('token')) kept.set('token', made)
        this.dispatch({ type: 'crowded', crowded: false })
        return kept.get('token')
      })
      .catch((wrong: unknown) => {
        this.dispatch({ type: 'crowded', crowded: wrong instanceof Fault && wrong.status === 429 })
        return null
      })
      .finally(() => (this.#opening = null))
    return this.#opening
  }

  /** Calls the REST as this visitor; as a new one where the hub does not know the old. */
  async withToken<T>(act: (token: string) => Promise<T>): Promise<T> {
    for (let first = true; ; first = false) {
      const token = await this.token()
      if (!token) throw new Fault('network')
      try {
        return await act(token)
      } catch (wrong) {
        if (!first || !(wrong instanceof Fault) || wrong.status !== 401) throw wrong
        this.ports.kept.set('token', null)
      }
    }
  }

  typing(on: boolean): void {
    if (this.store.value.link === 'live') this.#wire?.emit('typing', { on })
  }

  /** Forgets the visitor: the next talk is somebody else's. */
  async reset(): Promise<void> {
    if (unfinished(this.store.value)) await this.ask('leave', {})
    this.ports.kept.forget()
    this.#renew(empty)
  }

  /** Another tab has changed who the visitor is: follow it. */
  follow(): void {
    const connected = this.#wire !== null
    this.#renew(this.ports.kept.get('token') ? reduce(this.store.value, { type: 'strange' }) : empty)
    if (connected) void this.connect(false)
  }

  #renew(state: State): void {
    this.#wire?.close()
    this.#wire = null
    this.store.set({ ...state, link: 'idle' })
  }

  #dial(): void {
    const { connect, account, kept } = this.ports
    const wire: Wire = connect(() => ({ account, token: kept.get('token') }), {
      up: () => void this.#hello(wire),
      down: () => wire === this.#wire && this.dispatch({ type: 'link', link: 'lost' }),
      event: (name, body) => wire === this.#wire && this.#heard(name, body),
    })
    this.#wire = wire
  }

  async #hello(wire: Wire): Promise<void> {
    const { pos } = this.store.value
    this.dispatch({ type: 'asked' })
    const body = { pos, page: this.ports.page(), language: this.ports.language() }
    const answer = await wire.ask<HelloAnswer | Answer>('hello', body).catch(() => null)
    if (wire !== this.#wire) return
    if (answer && 'mode' in answer) {
      this.dispatch({ type: 'answer', answer })
      await this.afterHello()
      this.settle()
    } else if (answer?.code === 'unknown_visitor') {
      this.#strange()
    } else if (this.store.value.asking) {
      setTimeout(() => wire === this.#wire && void this.#hello(wire), RETRY_MS)
    }
  }

  #heard(name: string, body: unknown): void {
    if (name === 'event') this.dispatch({ type: 'event', event: body as StreamEvent })
    else if (name === 'heartbeat') this.dispatch({ ...(body as { pos: number }), type: name })
    else if (name === 'position') this.dispatch({ type: 'place', place: body as Place })
    else if (name === 'signal') this.onSignal(body)
    else if (name === 'stale') this.dispatch({ type: 'stale' })
    else if (name === 'unknown_visitor') this.#strange()
    else if (name === 'typing') this.#heardTyping(body as { on: boolean; name: string })
  }

  #heardTyping({ on, name }: { on: boolean; name: string }): void {
    clearTimeout(this.#typingTimer)
    this.dispatch({ type: 'typing', name: on ? name : null })
    if (!on) return
    const forget = (): void => this.dispatch({ type: 'typing', name: null })
    this.#typingTimer = window.setTimeout(forget, TYPING_MS)
  }

  /** The hub does not know this visitor: ask for a new session, keep the texts. */
  #strange(): void {
    for (const key of ['token', 'known', 'read'] as const) this.ports.kept.set(key, null)
    this.#renew(reduce(this.store.value, { type: 'strange' }))
    this.dispatch({ type: 'link', link: 'lost' })
    setTimeout(() => void this.connect(true), RETRY_MS / 4)
  }

  /** Asks the hub; null where no answer came. */
  async ask(name: string, body: object): Promise<Answer | null> {
    const wire = this.#wire
    const answer = (await wire?.ask<Answer>(name, body).catch(() => null)) ?? null
    if (answer?.code === 'unknown_visitor' && wire === this.#wire) this.#strange()
    return answer
  }
}

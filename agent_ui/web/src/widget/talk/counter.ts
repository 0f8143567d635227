import { pickLocale, type Locale } from '@shared/locale'
import type { About, Attributes, Claim } from '../state/model'
import { Identity } from './identity'
import { newId } from './ids'
import { Reading } from './reading'
import { Fault, type OfflineForm } from './rest'
import { Session, type Ports } from './session'
import { over } from '../state/state'
import { Store } from './store'
import { Uploads, type Chosen } from './uploads'

export type View = 'home' | 'chat' | 'form'

export interface Screen {
  open: boolean
  view: View
  locale: Locale
  topic: string | null
  /** The last talk has ended and the visitor begins another. */
  again: boolean
  /** What the site tells of itself; null: not yet. */
  about: About | null
  fault: 'network' | 'refused' | null
}

/** Everything behind the widget's pages: the talk, the files, what is shown. */
export class Counter {
  readonly screen: Store<Screen>
  readonly session: Session
  readonly uploads: Uploads
  readonly reading: Reading
  readonly identity: Identity
  #draft: (text: string) => void = () => undefined
  readonly kept
  #attributes: Attributes | null = null
  /** What the page around the widget speaks. */
  #page: Locale

  constructor(ports: Omit<Ports, 'language'>, languages: readonly string[]) {
    this.kept = ports.kept
    const chosen = this.kept.get('language')
    this.#page = pickLocale(languages)
    this.screen = new Store<Screen>({
      open: false,
      view: 'home',
      locale: chosen ? pickLocale([chosen]) : this.#page,
      topic: this.kept.get('topic'),
      again: false,
      about: null,
      fault: null,
    })
    this.session = new Session({ ...ports, language: () => this.screen.value.locale })
    this.uploads = new Uploads(this.session)
    this.reading = new Reading(this.session)
    this.identity = new Identity(this.session)
  }

  /** Learns the site's colour; takes up a talk that is not finished. */
  async start(): Promise<void> {
    await this.learn()
    if (this.session.unfinished && this.screen.value.fault !== 'refused') {
      await this.session.connect(this.session.store.value.outbox.length > 0)
    }
  }

  async learn(): Promise<void> {
    try {
      const about = await this.session.ports.rest.about()
      this.kept.set('color', about.color)
      this.show({ about, fault: null })
    } catch (wrong) {
      const refused = wrong instanceof Fault && (wrong.status === 403 || wrong.status === 404)
      this.show({ fault: refused ? 'refused' : 'network' })
      if (refused) console.warn('Madoguchi: this page may not show the widget:', wrong.code)
    }
  }

  show(change: Partial<Screen>): void {
    this.screen.set({ ...this.screen.value, ...change })
  }

  open(): void {
    if (this.screen.value.open) return
    this.session.watched = true
    this.show({ open: true, view: this.session.unfinished ? 'chat' : 'home' })
    void this.learn()
    void this.session.connect(false)
  }

  close(): void {
    this.show({ open: false })
    this.session.watched = false
    this.session.settle()
  }

  home(): void {
    this.show({ view: 'home' })
    void this.learn()
  }

  /** Begins a talk; the topic goes with its first text. */
  begin(topic: string | null): void {
    this.kept.set('topic', topic)
    this.show({ topic, again: true, view: 'chat' })
  }

  speak(locale: Locale): void {
    this.kept.set('language', locale)
    this.show({ locale })
  }

  /** The page may speak another language now; its switch is a newer word than the visitor's own. */
  follows(languages: readonly string[]): void {
    const locale = pickLocale(languages)
    if (locale === this.#page) return
    this.#page = locale
    this.kept.set('language', null)
    this.show({ locale })
  }

  send(text: string, files: readonly Chosen[]): void {
    const id = newId()
    const talk = this.session.store.value
    const going = talk.conversation && !over(talk)
    this.session.dispatch({
      type: 'compose',
      message: {
        id,
        text,
        files: this.uploads.attach(files),
        topic: going ? null : this.screen.value.topic,
        ...(this.#attributes && { attributes: this.#attributes }),
        at: new Date().toISOString(),
        stage: 'queued',
        fault: null,
      },
    })
    this.kept.set('draft', null)
    void this.session.connect(true)
  }

  /** Takes a text back that cannot be sent: it stands in the field again. */
  takeBack(id: string, text: string): void {
    this.session.dispatch({ type: 'discard', id })
    const draft = [this.kept.get('draft'), text].filter(Boolean).join('\n')
    this.kept.set('draft', draft || null)
    this.#draft(draft)
  }

  /** Hears when the field's text changes from outside; returns how to stop. */
  watchDraft(watcher: (text: string) => void): () => void {
    this.#draft = watcher
    return () => (this.#draft = () => undefined)
  }

  /** Leaves a message while nobody is there. Rejects with a Fault. */
  async leaveMessage(form: Omit<OfflineForm, 'language' | 'attributes'>): Promise<void> {
    const { rest } = this.session.ports
    const language = this.screen.value.locale
    const about = this.#attributes && { attributes: this.#attributes }
    await this.session.withToken((token) => rest.offline(token, { ...form, language, ...about }))
    await this.session.connect(false)
  }

  /** The address of a file that the agent has sent; null where there is none. */
  download(file: string): Promise<string | null> {
    const { rest } = this.session.ports
    return this.session.withToken((token) => rest.link(token, file)).catch(() => null)
  }

  /** The page is about something now; it goes with each text. */
  describe(attributes: Attributes): void {
    this.#attributes = { ...attributes }
  }

  async identify(claim: Claim): Promise<void> {
    await this.identity.set(claim)
  }

  async reset(): Promise<void> {
    await this.identity.set(null)
    this.show({ open: false, view: 'home', topic: null })
    this.session.watched = false
  }

  /** Another tab has written something. */
  follow(key: string): void {
    if (key === 'token') this.session.follow()
    else if (key === 'read') this.show({})
    else if (key.startsWith('out:')) this.#gone(key.slice(4))
  }

  /** What another tab has sent or taken back waits here no longer. */
  #gone(id: string): void {
    const mine = this.session.store.value.outbox.find((one) => one.id === id)
    if (mine?.stage !== 'queued' || this.kept.outbox().some((one) => one.id === id)) return
    this.session.dispatch({ type: 'discard', id })
  }
}

import type { Attachment, Outgoing } from '../state/outbox'
import type { State } from '../state/state'
import { newId } from './ids'
import { Fault } from './rest'
import type { Session } from './session'
import { Store } from './store'

/** A file that the visitor has chosen and not sent yet. */
export interface Chosen {
  key: string
  file: File
}

export interface Refusal {
  name: string
  fault: 'too_large' | 'empty_file'
}

export const mostFiles = 10

/** Sorts chosen files into those that may go and those that the hub would refuse. */
export function choose(files: Iterable<File>, limit: number): [Chosen[], Refusal[]] {
  const chosen: Chosen[] = []
  const refused: Refusal[] = []
  for (const file of files) {
    if (!file.size) refused.push({ name: file.name, fault: 'empty_file' })
    else if (file.size > limit) refused.push({ name: file.name, fault: 'too_large' })
    else chosen.push({ key: newId(), file })
  }
  return [chosen, refused]
}

/** Brings the files of waiting texts to the hub; the texts follow when their files are there. */
export class Uploads {
  /** key → percent. */
  readonly progress = new Store<ReadonlyMap<string, number>>(new Map())
  readonly #files = new Map<string, File>()
  readonly #running = new Set<string>()

  constructor(private readonly session: Session) {
    session.store.watch((now, before) => {
      if (now.link === 'live' && before.link !== 'live') this.#again(now)
      if (now.outbox !== before.outbox) this.#start(now)
    })
    this.#start(session.store.value)
  }

  attach(chosen: readonly Chosen[]): Attachment[] {
    return chosen.map(({ key, file }) => {
      this.#files.set(key, file)
      const { name, size, type } = file
      return { key, name, size, media_type: type, id: null, fault: null }
    })
  }

  #start({ outbox }: State): void {
    for (const one of outbox.filter(({ stage }) => stage === 'queued')) {
      for (const file of one.files) {
        if (!file.id && !file.fault && !this.#running.has(file.key)) void this.#upload(one, file)
      }
    }
  }

  /** What the network broke off is tried again when it is back. */
  #again({ outbox }: State): void {
    for (const { id, files } of outbox) {
      if (files.some(({ fault }) => fault === 'network')) this.session.dispatch({ type: 'again', id })
    }
  }

  async #upload({ id }: Outgoing, { key, name }: Attachment): Promise<void> {
    const told = (change: Partial<Attachment>): void =>
      this.session.dispatch({ type: 'file', id, key, change })
    const file = this.#files.get(key)
    if (!file) return told({ fault: 'lost' })
    this.#running.add(key)
    const change = await this.#put(file, key, name)
    this.#running.delete(key)
    told(change)
  }

  async #put(file: File, key: string, name: string): Promise<Partial<Attachment>> {
    try {
      const { rest } = this.session.ports
      const told = (percent: number): void => this.#told(key, percent)
      const stored = await this.session.withToken((token) => rest.upload(token, file, name, told))
      return { id: stored.id, name: stored.name, media_type: stored.media_type }
    } catch (wrong) {
      return { fault: wrong instanceof Fault ? wrong.code : 'network' }
    }
  }

  #told(key: string, percent: number): void {
    this.progress.set(new Map(this.progress.value).set(key, percent))
  }
}

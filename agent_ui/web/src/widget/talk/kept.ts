import type { Outgoing } from '../state/outbox'

export type Key = 'token' | 'unfinished' | 'read' | 'known' | 'said' | 'language' | 'topic' | 'color' | 'draft'

/**
 * What the browser keeps of one account, for all tabs of the site. Each text that is on its way has
 * an entry of its own, so that tabs never overwrite each other's. Where the browser keeps nothing,
 * the page does.
 */
export class Kept {
  readonly #prefix: string
  readonly #storage: Storage | null
  readonly #memory = new Map<string, string>()

  constructor(account: string, storage: () => Storage) {
    this.#prefix = `madoguchi:${account}:`
    this.#storage = usable(storage)
  }

  get(key: Key): string | null {
    return this.#read(this.#prefix + key)
  }

  set(key: Key, value: string | null): void {
    this.#write(this.#prefix + key, value)
  }

  outbox(): Outgoing[] {
    const prefix = `${this.#prefix}out:`
    return this.#names()
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => parsed(this.#read(name)))
  }

  keep(one: Outgoing): void {
    this.#write(`${this.#prefix}out:${one.id}`, JSON.stringify(one))
  }

  drop(id: string): void {
    this.#write(`${this.#prefix}out:${id}`, null)
  }

  /** Everything but the chosen language and the site's colour. */
  forget(): void {
    for (const name of this.#names()) {
      const key = name.slice(this.#prefix.length)
      if (key !== 'language' && key !== 'color') this.#write(name, null)
    }
  }

  /** The name under which this account keeps a storage entry, null for entries of others. */
  own(name: string | null): string | null {
    return name?.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : null
  }

  #names(): string[] {
    const all = this.#storage ? Object.keys(this.#storage) : [...this.#memory.keys()]
    return all.filter((name) => name.startsWith(this.#prefix))
  }

  #read(name: string): string | null {
    return this.#memory.get(name) ?? this.#storage?.getItem(name) ?? null
  }

  #write(name: string, value: string | null): void {
    this.#memory.delete(name)
    try {
      if (value === null) this.#storage?.removeItem(name)
      else if (this.#storage) this.#storage.setItem(name, value)
      else this.#memory.set(name, value)
    } catch {
      this.#memory.set(name, value ?? '')
    }
  }
}

function usable(storage: () => Storage): Storage | null {
  try {
    const found = storage()
    found.setItem('madoguchi', '1')
    found.removeItem('madoguchi')
    return found
  } catch {
    return null
  }
}

function parsed(text: string | null): Outgoing[] {
  try {
    const one = JSON.parse(text ?? '') as Outgoing
    return typeof one.id === 'string' && Array.isArray(one.files) ? [one] : []
  } catch {
    return []
  }
}

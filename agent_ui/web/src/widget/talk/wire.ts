import { pollingPipe, websocketPipe, type OpenPipe, type Pipe } from './pipe'

export interface Hears {
  /** Connected; say hello. */
  up: () => void
  /** Not connected; it tries again by itself unless it was closed. */
  down: () => void
  event: (name: string, body: unknown) => void
}

export interface Wire {
  emit: (name: string, body: object) => void
  /** The hub's answer. Rejects when none comes or the connection is lost. */
  ask: <T>(name: string, body: object) => Promise<T>
  close: () => void
}

export type Connect = (auth: () => object, hears: Hears) => Wire

interface Asked {
  resolve: (answer: never) => void
  reject: (why: Error) => void
}

const ROOM = '/visitor,'
const ANSWER_MS = 10_000
const OPENING_MS = 20_000
const REFUSED_MS = 4_000
const RETRY_MS = [500, 1_000, 2_000, 4_000, 5_000]

/**
 * A Socket.IO client (protocol 5 on Engine.IO 4) for one namespace and JSON, a tenth of the size of
 * the vendor's. It carries no cookie, connects again by itself and changes to long polling where
 * websockets never open.
 */
class Live implements Wire {
  #pipe: Pipe | null = null
  #up = false
  #closed = false
  #polling = false
  #proven = false
  #tries = 0
  #retry = 0
  #watch = 0
  #patience = OPENING_MS
  #count = 0
  #asked = new Map<number, Asked>()

  constructor(
    private readonly url: string,
    private readonly auth: () => object,
    private readonly hears: Hears,
  ) {
    addEventListener('online', this.#open)
    addEventListener('offline', this.#drop)
    queueMicrotask(this.#open)
  }

  emit(name: string, body: object): void {
    if (this.#up) this.#pipe?.send(`42${ROOM}${JSON.stringify([name, body])}`)
  }

  ask<T>(name: string, body: object): Promise<T> {
    if (!this.#up) return Promise.reject(new Error('not connected'))
    const id = this.#count++
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      setTimeout(() => this.#asked.delete(id) && reject(new Error('no answer')), ANSWER_MS)
      this.#pipe?.send(`42${ROOM}${id}${JSON.stringify([name, body])}`)
    })
  }

  close(): void {
    this.#closed = true
    removeEventListener('online', this.#open)
    removeEventListener('offline', this.#drop)
    if (this.#up) this.#pipe?.send(`41${ROOM}`)
    this.#drop()
  }

  #open = (): void => {
    clearTimeout(this.#retry)
    if (this.#closed || this.#pipe) return
    const open: OpenPipe = this.#polling ? pollingPipe : websocketPipe
    this.#patience = OPENING_MS
    this.#awake()
    this.#pipe = open(this.url, {
      packet: (packet) => this.#packet(packet),
      broken: () => this.#drop(),
    })
  }

  /** Whatever goes wrong: nothing is up, nothing is awaited, try again later. */
  #drop = (_?: unknown, pause?: number): void => {
    clearTimeout(this.#watch)
    if (!this.#proven && this.#pipe) this.#polling = !this.#polling
    this.#pipe?.close()
    this.#pipe = null
    this.#up = false
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    asked.forEach(({ reject }) => reject(new Error('connection lost')))
    if (this.#closed) return
    this.hears.down()
    const wait = pause ?? RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)] ?? 0
    clearTimeout(this.#retry)
    this.#retry = window.setTimeout(this.#open, wait * (0.75 + Math.random() / 2))
  }

  /** The hub pings; a connection that says nothing for too long is dead. */
  #awake(): void {
    clearTimeout(this.#watch)
    this.#watch = window.setTimeout(this.#drop, this.#patience)
  }

  #packet(packet: string): void {
    this.#awake()
    const body = packet.slice(1)
    if (packet[0] === '0') {
      const { pingInterval, pingTimeout } = JSON.parse(body) as Record<string, number>
      this.#patience = (pingInterval ?? OPENING_MS) + (pingTimeout ?? 0)
      this.#proven = true
      this.#pipe?.send(`40${ROOM}${JSON.stringify(this.auth())}`)
    } else if (packet[0] === '2') this.#pipe?.send('3')
    else if (packet[0] === '1') this.#drop()
    else if (packet[0] === '4' && body.startsWith(ROOM, 1)) {
      this.#message(packet[1] ?? '', body.slice(1 + ROOM.length))
    }
  }

  #message(kind: string, body: string): void {
    const [, id = '', json = ''] = /^(\d*)(.*)$/s.exec(body) ?? []
    if (kind === '0') {
      this.#up = true
      this.#tries = 0
      this.hears.up()
    } else if (kind === '2') {
      const [name, ...bodies] = JSON.parse(json) as [string, ...unknown[]]
      for (const body of bodies) this.hears.event(name, body)
    } else if (kind === '3') {
      const [answer] = JSON.parse(json) as [never]
      this.#asked.get(Number(id))?.resolve(answer)
      this.#asked.delete(Number(id))
    } else this.#drop(undefined, REFUSED_MS)
  }
}

/** Connects to the hub at `origin`. */
export const connectTo =
  (origin: string): Connect =>
  (auth, hears) =>
    new Live(`${origin}/widget/live/`, auth, hears)

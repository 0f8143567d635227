import { hears, partners, type CallSeen, type Signal } from './model'
import { Partner, type Link, type PartnerPorts } from './partner'
import type { Outgoing } from './peer'
import { counted, qualityOf, type Counts, type Quality } from './quality'

export interface MeshHears {
  link: (leg: string, link: Link) => void
  track: (leg: string, track: MediaStreamTrack) => void
  /** The connection with a leg is closed. */
  gone: (leg: string) => void
  /** Another page of the own leg carries the call now. */
  taken: () => void
}

const silence: Outgoing = { audio: null, video: null }
const worst: readonly Quality[] = ['good', 'fair', 'poor']

/** The peer connections of one leg: one with each leg that it hears or that hears it. */
export class Mesh {
  readonly #partners = new Map<string, Partner>()
  readonly #early = new Map<string, Signal[]>()
  readonly #counts = new Map<string, Counts>()
  #tracks: Outgoing = silence
  #call: CallSeen | null = null
  #closed = false

  constructor(
    private readonly call: string,
    private readonly me: string,
    private readonly ports: PartnerPorts,
    private readonly told: MeshHears,
  ) {}

  /** What is to be heard and seen of this leg, by those only who are to hear it. */
  share(tracks: Outgoing): void {
    this.#tracks = tracks
    this.#route()
  }

  /** Takes the call as it stands now. */
  update(call: CallSeen): void {
    if (this.#closed) return
    this.#call = call
    const wanted = new Set(call.state === 'ended' ? [] : partners(call, this.me))
    for (const leg of wanted) if (!this.#partners.has(leg)) this.#meet(leg)
    const ended = new Set(call.legs.filter((leg) => leg.state === 'ended').map((leg) => leg.id))
    for (const [leg, partner] of this.#partners) {
      if (call.state === 'ended' || ended.has(leg)) this.#part(leg, partner)
      else partner.want(wanted.has(leg))
    }
    this.#route()
  }

  /** Takes a signal; what comes before the call says so waits for it. */
  hear(signal: Signal): void {
    if (this.#closed || signal.call !== this.call) return
    if (signal.from === this.me) return this.#partners.get(signal.to)?.echo(signal)
    if (signal.to !== this.me) return
    const partner = this.#partners.get(signal.from)
    if (partner) partner.hear(signal)
    else this.#early.set(signal.from, [...(this.#early.get(signal.from) ?? []), signal].slice(-50))
  }

  links(): ReadonlyMap<string, Link> {
    return new Map([...this.#partners].map(([leg, { link }]) => [leg, link]))
  }

  /** How loud each other leg is now, 0 to 1. */
  levels(): ReadonlyMap<string, number> {
    return new Map([...this.#partners].map(([leg, { peer }]) => [leg, peer?.level() ?? 0]))
  }

  /** How the worst of the connections sounds since it was last asked; null: there is none. */
  async quality(): Promise<Quality | null> {
    const found: Quality[] = []
    for (const [leg, { peer }] of this.#partners) {
      if (!peer?.connected) continue
      const now = counted(await peer.stats())
      found.push(qualityOf(this.#counts.get(leg) ?? now, now))
      this.#counts.set(leg, now)
    }
    return worst.findLast((one) => found.includes(one)) ?? null
  }

  close(): void {
    this.#closed = true
    for (const [leg, partner] of this.#partners) this.#part(leg, partner)
  }

  /** Resolves when all that has come so far is done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#partners.values()].map((partner) => partner.settled()))
  }

  #meet(leg: string): void {
    const partner = new Partner(this.call, this.me, leg, this.ports, {
      link: (link) => this.told.link(leg, link),
      track: (track) => this.told.track(leg, track),
      taken: () => this.told.taken(),
    })
    this.#partners.set(leg, partner)
    for (const signal of this.#early.get(leg) ?? []) partner.hear(signal)
    this.#early.delete(leg)
  }

  #part(leg: string, partner: Partner): void {
    partner.close()
    this.#partners.delete(leg)
    this.#counts.delete(leg)
    this.told.gone(leg)
  }

  #route(): void {
    const call = this.#call
    if (!call) return
    for (const [leg, partner] of this.#partners) {
      partner.send(hears(call, this.me, leg) ? this.#tracks : silence)
    }
  }
}

import type { Signal, SignalAnswer } from '@shared/call/model'
import { csrf } from '@desk/acts/api'
import { useSession } from '@desk/session/session'
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { clockOffset } from './clock'
import { useFigures } from './figures'
import { Source } from './fold'
import { Line, type StreamEvent } from './line'
import { backOff, useLink } from './link'
import { useOthers } from './others'
import { createTransport, type DeskSocket, type Namespace } from './transport'
import { useWorld } from './world'

interface Strand {
  socket: DeskSocket
  line: Line
  ready: boolean
  changed: number
}

type Listener = (event: StreamEvent) => void

/** The live connection: one strand per namespace, both folded into one world. */
export const useLive = defineStore('live', () => {
  const { world } = useWorld()
  const session = useSession()
  const link = useLink()
  const others = useOthers()
  const figures = useFigures()
  /** Grows with each snapshot: what came by `open` must be asked for again. */
  const generation = ref(0)
  const listeners = new Set<Listener>()
  const callers = new Set<(signal: Signal) => void>()
  let strands: Strand[] = []
  let attempt = 0
  let timer: ReturnType<typeof setTimeout> | null = null

  function start(): void {
    if (strands.length || !session.serves) return
    const transport = createTransport(csrf)
    const wanted: Namespace[] = session.supervises ? ['/agent', '/supervisor'] : ['/agent']
    strands = wanted.map((namespace) => strand(namespace, transport))
    link.lost()
    connect()
  }

  function strand(namespace: Namespace, transport: ReturnType<typeof createTransport>): Strand {
    const made = { ready: false, changed: 0 } as Strand
    made.socket = transport(namespace, {
      open: () => void made.line.hello(),
      lost: () => lost(made),
      event: (event) => made.line.event(event),
      heartbeat: (beat) => made.line.heartbeat(beat),
      typing: (typing) => others.typed(typing),
      viewers: (viewers) => others.viewed(viewers),
      figures: (told) => figures.told(told),
      signal: (signal) => callers.forEach((hear) => hear(signal)),
      signedOut: () => session.forget(),
    })
    const source = namespace === '/agent' ? Source.agent : Source.supervisor
    made.line = new Line(made.socket, world, source, {
      ready: (changed, fresh) => ready(made, changed, fresh),
      clock: (now) => clockOffset.sample(now, Date.now()),
      folded: (event) => listeners.forEach((listener) => listener(event)),
      failed: () => again(),
    })
    return made
  }

  function ready(one: Strand, changed: number, fresh: boolean): void {
    one.ready = true
    one.changed += changed
    if (!strands.every((each) => each.ready)) return
    if (!link.ready || fresh) generation.value += 1
    if (!link.ready) link.restored(strands.reduce((sum, each) => sum + each.changed, 0))
    for (const each of strands) each.changed = 0
    attempt = 0
  }

  function lost(one: Strand): void {
    one.ready = false
    if (strands.length === 0) return
    link.lost()
    plan()
  }

  function again(): void {
    for (const each of strands) {
      each.ready = false
      each.socket.close()
    }
    link.lost()
    plan()
  }

  function plan(): void {
    if (timer) return
    const wait = backOff(attempt)
    attempt += 1
    link.nextTryAt = Date.now() + wait
    timer = setTimeout(() => {
      timer = null
      connect()
    }, wait)
  }

  function connect(): void {
    for (const each of strands) if (!each.ready) each.socket.connect()
    if (attempt > 0 && attempt % 3 === 0) void session.load().catch(() => undefined)
  }

  function retryNow(): void {
    if (timer) clearTimeout(timer)
    timer = null
    attempt = 0
    for (const each of strands) if (!each.ready) each.socket.close()
    connect()
  }

  function stop(): void {
    if (timer) clearTimeout(timer)
    timer = null
    const ending = strands
    strands = []
    for (const each of ending) each.socket.close()
  }

  const agentSocket = (): DeskSocket | undefined => strands[0]?.socket

  return {
    generation,
    start,
    stop,
    retryNow,
    onEvent(listener: Listener): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onSignal(hear: (signal: Signal) => void): () => void {
      callers.add(hear)
      return () => void callers.delete(hear)
    },
    /** Says something to the browsers of another leg; null: there was no answer. */
    signal: (signal: Signal): Promise<SignalAnswer> =>
      agentSocket()?.ask<SignalAnswer>('signal', signal).catch(() => null) ?? Promise.resolve(null),
    open: (conversation: string) =>
      agentSocket()?.ask<{ ok: boolean; conversations?: string[] }>('open', { conversation }),
    close: (conversation: string) => agentSocket()?.tell('close', { conversation }),
    seen: (conversation: string, inbound_seq: number) =>
      agentSocket()?.tell('seen', { conversation, inbound_seq }),
    typing: (conversation: string, on: boolean) =>
      agentSocket()?.tell('typing', { conversation, on }),
    viewing: (conversation: string | null) => agentSocket()?.tell('viewing', { conversation }),
  }
})

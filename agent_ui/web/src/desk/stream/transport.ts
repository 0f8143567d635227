import type { Signal } from '@shared/call/model'
import { Manager, type Socket } from 'socket.io-client'
import type { Told } from './figures'
import type { HelloAnswer, StreamEvent } from './line'

export const namespaces = ['/agent', '/supervisor'] as const
export type Namespace = (typeof namespaces)[number]

export interface Typing {
  conversation: string
  who: string
  name: string
  on: boolean
}

export interface Viewers {
  conversation: string
  viewers: { id: string; name: string; writing: boolean }[]
}

/** What a socket tells; `lost` says why it went or would not come. */
export interface SocketEvents {
  open(): void
  lost(reason: string): void
  event(event: StreamEvent): void
  heartbeat(beat: { pos: number; now: string }): void
  typing(typing: Typing): void
  viewers(viewers: Viewers): void
  figures(told: Told): void
  signal(signal: Signal): void
  signedOut(code: string): void
}

export interface DeskSocket {
  connect(): void
  close(): void
  hello(pos: number | null): Promise<HelloAnswer>
  /** Sends and forgets; nothing happens while there is no connection. */
  tell(name: string, payload: unknown): void
  ask<T>(name: string, payload: unknown): Promise<T>
}

/** An unanswered question is as good as a lost connection after this time. */
const ANSWER_MS = 10_000

/** One connection to /live with a socket per namespace. We reconnect ourselves, to show when. */
export function createTransport(csrf: () => string): (
  namespace: Namespace,
  events: SocketEvents,
) => DeskSocket {
  const manager = new Manager(window.location.origin, {
    path: '/live',
    autoConnect: false,
    reconnection: false,
    timeout: ANSWER_MS,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    withCredentials: false,
  })
  return (namespace, events) => {
    const socket = manager.socket(namespace, {
      auth: (give: (data: object) => void) => give({ token: csrf() }),
    })
    listen(socket, events)
    return {
      connect: () => void socket.connect(),
      close: () => void socket.disconnect(),
      hello: (pos) => socket.timeout(ANSWER_MS).emitWithAck('hello', { pos }),
      tell: (name, payload) => void (socket.connected && socket.emit(name, payload)),
      ask: (name, payload) => socket.timeout(ANSWER_MS).emitWithAck(name, payload),
    }
  }
}

function listen(socket: Socket, events: SocketEvents): void {
  socket.on('connect', () => events.open())
  socket.on('disconnect', (reason) => events.lost(reason))
  socket.on('connect_error', (error) => events.lost(error.message))
  socket.on('event', (...told: StreamEvent[]) => told.forEach((event) => events.event(event)))
  socket.on('heartbeat', (beat: { pos: number; now: string }) => events.heartbeat(beat))
  socket.on('typing', (typing: Typing) => events.typing(typing))
  socket.on('viewers', (viewers: Viewers) => events.viewers(viewers))
  socket.on('figures', (told: Told) => events.figures(told))
  socket.on('signal', (signal: Signal) => events.signal(signal))
  socket.on('signed_out', ({ code }: { code: string }) => events.signedOut(code))
}

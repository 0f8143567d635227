import { io } from 'socket.io-client'

export type LinkState = 'connecting' | 'connected' | 'lost'

export interface Link {
  close: () => unknown
}

/** Opens a link to `origin`; calls `onState` at each change. */
export type Connect = (origin: string, onState: (state: LinkState) => void) => Link

/**
 * Opens the visitor's socket to the hub at `origin` and reports each change of its state.
 * Carries no cookie. Returns the socket; the caller closes it.
 */
export const connect: Connect = (origin, onState) => {
  const socket = io(origin, {
    path: '/widget/live',
    transports: ['websocket', 'polling'],
    withCredentials: false,
  })
  socket.on('connect', () => onState('connected'))
  socket.on('disconnect', () => onState('lost'))
  socket.on('connect_error', () => onState('lost'))
  return socket
}

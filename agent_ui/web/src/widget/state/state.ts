import { answered, heard, type Stream } from './fold'
import type { HelloAnswer, Message, Place, StreamEvent } from './model'
import { reduceOutbox, unanswered, withoutHeard, type Outbox, type OutboxAction } from './outbox'

export type LinkState = 'idle' | 'connecting' | 'live' | 'lost'

export interface State extends Stream {
  link: LinkState
  /** The hub has answered once: what is shown is true. */
  loaded: boolean
  /** The agent who is writing. */
  typing: string | null
  /** The hub takes no more for a moment. */
  crowded: boolean
  outbox: Outbox
}

export type Action =
  | OutboxAction
  | { type: 'link'; link: LinkState }
  | { type: 'asked' | 'stale' | 'strange' }
  | { type: 'answer'; answer: HelloAnswer }
  | { type: 'event'; event: StreamEvent }
  | { type: 'heartbeat'; pos: number }
  | { type: 'place'; place: Place }
  | { type: 'typing'; name: string | null }
  | { type: 'crowded'; crowded: boolean }

export const empty: State = {
  link: 'idle',
  loaded: false,
  pos: null,
  asking: false,
  hole: false,
  held: [],
  conversation: null,
  messages: {},
  turns: [],
  place: null,
  call: null,
  typing: null,
  crowded: false,
  outbox: [],
}

/** The next state. Pure: clocks, storage and sockets are outside. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'link':
      return linked(state, action.link)
    case 'asked':
      return { ...state, asking: true, hole: false, held: [] }
    case 'stale':
      return { ...state, pos: null, hole: true }
    case 'strange':
      return { ...empty, link: state.link, outbox: unanswered(state.outbox) }
    case 'answer':
      return heardIn({ ...answered(state, action.answer), loaded: true, link: 'live' }, state)
    case 'event':
      return heardIn(heard(state, action.event), state)
    case 'heartbeat':
      return state.pos !== null && action.pos > state.pos && !state.asking
        ? { ...state, hole: true }
        : state
    case 'place':
      return { ...state, place: action.place }
    case 'typing':
      return { ...state, typing: action.name }
    case 'crowded':
      return { ...state, crowded: action.crowded }
    default:
      return { ...state, outbox: reduceOutbox(state.outbox, action) }
  }
}

function linked(state: State, link: LinkState): State {
  if (link === 'live') return { ...state, link }
  const outbox = link === 'lost' ? unanswered(state.outbox) : state.outbox
  return { ...state, link, asking: false, held: [], typing: null, outbox }
}

function heardIn(next: State, before: State): State {
  if (next.messages === before.messages) return next
  const outbox = withoutHeard(next.outbox, Object.values(next.messages))
  const spoke = Object.keys(next.messages).length > Object.keys(before.messages).length
  return { ...next, outbox, typing: spoke ? null : next.typing }
}

/** The talk has ended: the agent closed it, or the visitor's last word was to leave. */
export function over({ conversation, messages }: Pick<State, 'conversation' | 'messages'>): boolean {
  if (!conversation) return false
  const last = Object.values(messages).reduce<Message | null>(
    (found, one) => (found && Date.parse(found.at) > Date.parse(one.at) ? found : one),
    null,
  )
  const left = last?.parts.some((part) => part.type === 'system' && part.code === 'customer_left')
  return conversation.state === 'closed' || !!left
}

/** A conversation or a call is going on, or a text waits: the socket is worth having. */
export function unfinished(state: State): boolean {
  return state.outbox.length > 0 || (state.call?.state ?? 'ended') !== 'ended' || (!!state.conversation && !over(state))
}

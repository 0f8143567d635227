import type { CallSeen } from '@shared/call/model'
import type { Conversation, HelloAnswer, Message, Place, StreamEvent } from './model'

/** Somebody took over at a time; an empty name: nobody serves now. */
export interface Turn {
  at: string
  agent: string
}

/** The visitor's part of the log, folded. */
export interface Stream {
  pos: number | null
  /** A hello is out; events are held until it is answered. */
  asking: boolean
  /** Something is missing; hello must be said. */
  hole: boolean
  held: StreamEvent[]
  conversation: Conversation | null
  messages: Record<string, Message>
  turns: Turn[]
  place: Place | null
  call: CallSeen | null
}

/** An event has come: it is folded, held, known already, or shows a hole. */
export function heard<S extends Stream>(stream: S, event: StreamEvent): S {
  if (stream.asking || stream.pos === null) return { ...stream, held: [...stream.held, event] }
  if (event.pos <= stream.pos) return stream
  if (event.prev !== stream.pos) return { ...stream, hole: true }
  return { ...fold(stream, event), pos: event.pos }
}

/** Hello has been answered: the answer first, then what was held. */
export function answered<S extends Stream>(stream: S, answer: HelloAnswer): S {
  const base =
    answer.mode === 'snapshot'
      ? { ...afresh(stream, answer.conversation, answer.messages), call: answer.calls?.at(-1) ?? null }
      : answer.events.reduce(fold, stream)
  const next = {
    ...base,
    pos: answer.pos,
    place: answer.position,
    asking: false,
    hole: false,
    held: [],
  }
  return stream.held.reduce<S>(heard, next)
}

function afresh<S extends Stream>(
  stream: S,
  conversation: Conversation | null,
  messages: Message[],
): S {
  const same = stream.conversation?.id === conversation?.id
  return {
    ...stream,
    conversation,
    messages: Object.fromEntries(messages.map((one) => [one.id, one])),
    turns: same ? stream.turns : [],
  }
}

function fold<S extends Stream>(stream: S, event: StreamEvent): S {
  if (event.entity === 'call') return { ...stream, call: event.view }
  return event.entity === 'message'
    ? foldMessage(stream, event.id, event.view)
    : foldConversation(stream, event.id, event.view, event.at)
}

function foldMessage<S extends Stream>(stream: S, id: string, view: Message | null): S {
  const known = stream.messages[id]
  if (!view) {
    const { [id]: _gone, ...messages } = stream.messages
    return { ...stream, messages }
  }
  if (known && view.version < known.version) return stream
  return { ...stream, messages: { ...stream.messages, [id]: view } }
}

function foldConversation<S extends Stream>(
  stream: S,
  id: string,
  view: Conversation | null,
  at: string,
): S {
  const known = stream.conversation?.id === id ? stream.conversation : null
  if (!view) return known ? { ...stream, conversation: null, place: null } : stream
  if (known && view.version < known.version) return stream
  if (stream.conversation && !known && view.created_at < stream.conversation.created_at) {
    return stream
  }
  const changed = view.agent !== (known?.agent ?? '') && view.state !== 'closed'
  return {
    ...stream,
    conversation: view,
    place: view.state === 'waiting' ? stream.place : null,
    turns: changed ? [...stream.turns, { at, agent: view.agent }] : stream.turns,
  }
}

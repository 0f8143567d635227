import type { Conversation, Message, Snapshot, StreamEvent } from './model'
import type { Outgoing } from './outbox'

/** Views as the hub sends them; for tests. */
export const minute = (n: number): string => new Date(Date.UTC(2026, 10, 24, 5, n)).toISOString()

export function conversation(change: Partial<Conversation> = {}): Conversation {
  return {
    id: 'c1',
    version: 1,
    state: 'waiting',
    agent: '',
    read_to: null,
    created_at: minute(0),
    closed_at: null,
    ...change,
  }
}

export function message(id: string, change: Partial<Message> = {}): Message {
  return {
    id,
    version: 1,
    conversation: 'c1',
    author: 'agent',
    agent: '高橋',
    parts: [{ type: 'text', text: id }],
    state: 'sent',
    client_id: null,
    at: minute(1),
    ...change,
  }
}

export function mine(id: string, change: Partial<Message> = {}): Message {
  return message(id, { author: 'customer', agent: '', client_id: `out-${id}`, ...change })
}

export function snapshot(pos: number, change: Partial<Snapshot> = {}): Snapshot {
  return { mode: 'snapshot', pos, position: null, conversation: null, messages: [], ...change }
}

export function told(pos: number, prev: number, view: Message | Conversation): StreamEvent {
  const entity = 'parts' in view ? 'message' : 'conversation'
  const { id, version } = view
  return { pos, prev, entity, id, version, view, at: minute(pos % 60) } as StreamEvent
}

export function outgoing(id: string, change: Partial<Outgoing> = {}): Outgoing {
  return {
    id,
    text: id,
    files: [],
    topic: null,
    at: minute(2),
    stage: 'queued',
    fault: null,
    ...change,
  }
}

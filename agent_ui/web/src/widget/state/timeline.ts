import type { Turn } from './fold'
import type { Conversation, Message, Part } from './model'
import type { Outgoing } from './outbox'
import type { State } from './state'

export type Mark = 'sending' | 'queued' | 'taken' | 'delivered' | 'read' | 'failed'
export type LineCode = 'joined' | 'changed' | 'left' | 'customerLeft'

export interface Said {
  kind: 'said'
  key: string
  at: string
  mine: boolean
  parts: Part[]
  /** Ends a run of one side: the time and the mark stand below it. */
  last: boolean
  mark: Mark | null
  outgoing: Outgoing | null
}

export type Entry =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'line'; key: string; at: string; code: LineCode; name: string }
  | Said

const time = (at: string): number => Date.parse(at)

/** What the visitor sees, oldest first: days, who serves, what was said, what is on its way. */
export function timeline(state: State): Entry[] {
  const all = [...inOrder(state), ...state.outbox.map((one) => waiting(one, state))]
  all.forEach((entry, index) => {
    if (entry.kind === 'said') entry.last = endsRun(entry, all[index + 1])
  })
  return all.flatMap((entry, index) => {
    const before = all[index - 1]
    const day = new Date(entry.at).toDateString()
    if (before && new Date(before.at).toDateString() === day) return [entry]
    return [{ kind: 'day', key: `day ${day}`, at: entry.at }, entry]
  })
}

/** The agent's texts, oldest first. */
export function fromAgents(state: State): Message[] {
  return sorted(state).filter((one) => one.author === 'agent' || one.author === 'notice')
}

function sorted(state: State): Message[] {
  return Object.values(state.messages).sort(
    (a, b) => time(a.at) - time(b.at) || (a.id < b.id ? -1 : 1),
  )
}

function inOrder(state: State): Entry[] {
  const entries: Entry[] = []
  const turns = [...state.turns]
  let serving = ''
  const turn = ({ at, agent }: Turn): void => {
    if (agent === serving) return
    const code = !agent ? 'left' : entries.some((one) => one.kind === 'line') ? 'changed' : 'joined'
    entries.push({ kind: 'line', key: `turn ${at}`, at, code, name: agent || serving })
    serving = agent
  }
  for (const message of sorted(state)) {
    while (turns[0] && time(turns[0].at) <= time(message.at)) turn(turns.shift()!)
    if (message.author === 'agent' && message.agent) {
      turn({ at: message.at, agent: message.agent })
    }
    const entry = said(message, state.conversation)
    if (entry) entries.push(entry)
  }
  turns.forEach(turn)
  return entries
}

function said(message: Message, conversation: Conversation | null): Entry | null {
  const { id: key, at, parts } = message
  if (message.author === 'system') {
    const left = parts.some((part) => part.type === 'system' && part.code === 'customer_left')
    return left ? { kind: 'line', key, at, code: 'customerLeft', name: '' } : null
  }
  const mine = message.author === 'customer'
  const mark = mine ? markOf(message, conversation) : null
  return {
    kind: 'said',
    key: message.client_id ?? key,
    at,
    mine,
    parts,
    mark,
    last: false,
    outgoing: null,
  }
}

function markOf(message: Message, conversation: Conversation | null): Mark | null {
  if (!conversation || message.conversation !== conversation.id) return null
  const { read_to } = conversation
  if (read_to && time(read_to) >= time(message.at)) return 'read'
  return conversation.state === 'waiting' ? 'taken' : 'delivered'
}

function waiting(one: Outgoing, state: State): Said {
  const parts: Part[] = one.text ? [{ type: 'text', text: one.text }] : []
  return {
    kind: 'said',
    key: one.id,
    at: one.at,
    mine: true,
    parts,
    mark: waitingMark(one, state),
    last: false,
    outgoing: one,
  }
}

function waitingMark(one: Outgoing, state: State): Mark {
  if (one.stage === 'failed' || one.files.some((file) => file.fault)) return 'failed'
  if (one.stage === 'taken') return 'taken'
  const held = state.link === 'lost' || state.crowded
  return held && one.stage === 'queued' ? 'queued' : 'sending'
}

function endsRun(entry: Said, next: Entry | undefined): boolean {
  if (next?.kind !== 'said' || next.mine !== entry.mine) return true
  return entry.mark === 'failed' || next.mark !== entry.mark
}

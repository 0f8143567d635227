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
  const all = withDays([...inOrder(state), ...state.outbox.map((one) => waiting(one, state))])
  all.forEach((entry, index) => {
    if (entry.kind === 'said') entry.last = endsRun(entry, all[index + 1])
  })
  return all
}

function withDays(entries: Entry[]): Entry[] {
  let before = ''
  return entries.flatMap((entry) => {
    const day = new Date(entry.at).toDateString()
    if (day === before) return [entry]
    before = day
    return [{ kind: 'day', key: `day ${entry.key}`, at: entry.at }, entry]
  })
}

/** What was said to the visitor by agents and by the hub, oldest first. */
export function fromAgents(state: State): Message[] {
  return sorted(state).filter(
    (one) => one.author === 'agent' || one.author === 'notice' || speaks(one),
  )
}

/** The hub's own words, as others than what it notes of the talk. */
const speaks = ({ author, parts }: Message): boolean =>
  author === 'system' && parts.some((part) => part.type === 'text')

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
  const all = sorted(state)
  const served = lastServed(state, all)
  for (const message of all) {
    while (turns[0] && time(turns[0].at) <= time(message.at)) turn(turns.shift()!)
    if (message.author === 'agent' && message.agent) {
      turn({ at: message.at, agent: message.agent })
    }
    const entry = said(message, state.conversation, served)
    if (entry) entries.push(entry)
  }
  turns.forEach(turn)
  return entries
}

/** When an agent was last seen to have the talk: what was said before has been delivered. */
function lastServed({ conversation, turns }: State, messages: Message[]): number {
  if (conversation && conversation.state !== 'waiting') return Infinity
  const spoke = messages.filter((one) => one.author === 'agent').map((one) => time(one.at))
  return Math.max(0, ...spoke, ...turns.map((one) => time(one.at)))
}

function said(message: Message, conversation: Conversation | null, served: number): Entry | null {
  const { id: key, at, parts } = message
  if (message.author === 'system' && !speaks(message)) {
    const left = parts.some((part) => part.type === 'system' && part.code === 'customer_left')
    return left ? { kind: 'line', key, at, code: 'customerLeft', name: '' } : null
  }
  const mine = message.author === 'customer'
  const mark = mine ? markOf(message, conversation, served) : null
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

function markOf(message: Message, conversation: Conversation | null, served: number): Mark | null {
  if (!conversation || message.conversation !== conversation.id) return null
  const { read_to } = conversation
  if (read_to && time(read_to) >= time(message.at)) return 'read'
  return time(message.at) <= served ? 'delivered' : 'taken'
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

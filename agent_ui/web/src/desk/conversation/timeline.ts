import type { Outgoing } from '@desk/acts/outbox'
import type { CallView } from '@shared/call/model'
import type { Conversation, Handover, Item, Message, Turn } from '@desk/model/entities'

interface Base {
  key: string
  at: number
}

export type TimelineRow = Base &
  (
    | { kind: 'day' }
    | { kind: 'conversation'; conversation: Conversation }
    | { kind: 'new' }
    | { kind: 'call'; call: string }
    | { kind: 'message'; message: Message; head: boolean }
    | { kind: 'note'; message: Message }
    | { kind: 'notice'; message: Message }
    | { kind: 'outgoing'; outgoing: Outgoing }
    | { kind: 'turn'; turn: Turn; item: Item }
    | { kind: 'handover'; handover: Handover }
    | { kind: 'ended'; item: Item; turn: Turn }
    | { kind: 'system'; code: string; data: Record<string, unknown>; more: number }
  )

export interface TimelineInput {
  messages: readonly Message[]
  outgoing: readonly Outgoing[]
  conversations: ReadonlyMap<string, Conversation>
  items: readonly Item[]
  calls: readonly CallView[]
  /** The message that the divider "new messages" stands before; null: none. */
  newFrom: string | null
}

interface Entry {
  at: number
  received: number
  id: string
  conversation: string
  row: TimelineRow
}

const DAY_MS = 86_400_000
/** The same sender's next words within this time need no second heading. */
const TOGETHER_MS = 5 * 60_000

/** When a message stands in the timeline: the provider's time, kept within a day before ours. */
export function timeOf(message: Pick<Message, 'provider_at' | 'received_at'>): number {
  const received = Date.parse(message.received_at)
  const provider = message.provider_at ? Date.parse(message.provider_at) : received
  return Math.min(received, Math.max(provider, received - DAY_MS))
}

function messageEntry(message: Message): Entry {
  const at = timeOf(message)
  const base = { key: message.id, at }
  const [part] = message.parts
  let row: TimelineRow
  if (message.author === 'system' && part?.type === 'system' && part.code === 'call') {
    row = { ...base, kind: 'call', call: String(part.data['call']) }
  } else if (message.author === 'system' && part?.type === 'system') {
    row = { ...base, kind: 'system', code: part.code, data: part.data ?? {}, more: 0 }
  } else if (message.author === 'notice') row = { ...base, kind: 'notice', message }
  else if (message.visibility === 'internal') row = { ...base, kind: 'note', message }
  else row = { ...base, kind: 'message', message, head: true }
  return { at, received: Date.parse(message.received_at), id: message.id, conversation: message.conversation, row }
}

function itemEntries(item: Item): Entry[] {
  const entry = (time: string, id: string, row: TimelineRow): Entry => {
    const at = Date.parse(time)
    return { at, received: at, id, conversation: item.conversation, row: { ...row, at } }
  }
  const found = item.history.map((turn) =>
    entry(turn.started_at, `turn/${turn.id}`, { key: `turn/${turn.id}`, at: 0, kind: 'turn', turn, item }),
  )
  const last = item.history.at(-1)
  if (item.state === 'done' && item.closed_at && last) {
    found.push(entry(item.closed_at, `ended/${item.id}`, { key: `ended/${item.id}`, at: 0, kind: 'ended', item, turn: last }))
  }
  if (item.handover) {
    const key = `handover/${item.id}/${item.handover.at}`
    found.push(entry(item.handover.at, key, { key, at: 0, kind: 'handover', handover: item.handover }))
  }
  return found
}

/** A call that no message stands for yet. */
function callEntry(call: CallView): Entry {
  const at = Date.parse(call.began_at)
  const row: TimelineRow = { key: `call/${call.id}`, at, kind: 'call', call: call.id }
  return { at, received: at, id: call.id, conversation: call.conversation, row }
}

const inOrder = (a: Entry, b: Entry): number =>
  a.at - b.at || a.received - b.received || (a.id < b.id ? -1 : 1)

/** The rows of a customer's timeline: entries in order, with dividers by day and conversation. */
export function timelineRows(input: TimelineInput): TimelineRow[] {
  const said = input.messages.map(messageEntry)
  const told = new Set(said.map(({ row }) => (row.kind === 'call' ? row.call : '')))
  const calls = input.calls.filter((call) => !told.has(call.id)).map(callEntry)
  const entries = [...said, ...calls, ...input.items.flatMap(itemEntries)].sort(inOrder)
  const known = new Set(input.messages.map((message) => message.id))
  for (const outgoing of input.outgoing) {
    if (known.has(outgoing.id)) continue
    const at = Date.parse(outgoing.at)
    const row: TimelineRow = { key: outgoing.id, at, kind: 'outgoing', outgoing }
    entries.push({ at, received: at, id: outgoing.id, conversation: outgoing.conversation, row })
  }
  return laidOut(entries, input)
}

function laidOut(entries: readonly Entry[], input: TimelineInput): TimelineRow[] {
  const rows: TimelineRow[] = []
  let day = ''
  let conversation = ''
  for (const { at, row, conversation: its } of entries) {
    const date = new Date(at).toDateString()
    if (date !== day) rows.push({ kind: 'day', key: `day/${date}`, at })
    const told = input.conversations.get(its)
    if (its !== conversation && told && input.conversations.size > 1) {
      rows.push({ kind: 'conversation', key: `conversation/${its}/${row.key}`, at, conversation: told })
    }
    if (input.newFrom === row.key) rows.push({ kind: 'new', key: 'new', at })
    day = date
    conversation = its
    if (!merged(rows.at(-1), row)) rows.push(headed(row, rows.at(-1)))
  }
  return rows
}

/** Folds a system line into an equal one before it. */
function merged(last: TimelineRow | undefined, row: TimelineRow): boolean {
  if (last?.kind !== 'system' || row.kind !== 'system' || last.code !== row.code) return false
  last.more += 1
  return true
}

function headed(row: TimelineRow, before: TimelineRow | undefined): TimelineRow {
  if (row.kind !== 'message' || before?.kind !== 'message') return row
  const [now, last] = [row.message, before.message]
  const same =
    now.author === last.author &&
    now.agent === last.agent &&
    now.identity === last.identity &&
    now.channel === last.channel &&
    now.conversation === last.conversation
  return { ...row, head: !same || row.at - before.at > TOGETHER_MS }
}

/** The oldest customer's text that the owner has not seen; null: all is seen. */
export function firstUnread(messages: readonly Message[], unread: number): string | null {
  if (unread <= 0) return null
  const inbound = messages.filter((each) => each.direction === 'in' && each.author === 'customer')
  const sorted = [...inbound].sort((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : 1))
  return sorted.at(-unread)?.id ?? sorted[0]?.id ?? null
}

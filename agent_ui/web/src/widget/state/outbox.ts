import type { Attributes, Message } from './model'

/** A file of a message that is on its way; `id` is there once the hub has it. */
export interface Attachment {
  key: string
  name: string
  size: number
  media_type: string
  id: string | null
  fault: string | null
}

/** A text that the hub has not confirmed in the stream yet; `id` stays the same at each attempt. */
export interface Outgoing {
  id: string
  text: string
  files: Attachment[]
  topic: string | null
  /** What the page told of itself when it was written. */
  attributes?: Attributes
  at: string
  stage: 'queued' | 'sending' | 'taken' | 'failed'
  fault: string | null
}

export type Outbox = readonly Outgoing[]

export type OutboxAction =
  | { type: 'compose'; message: Outgoing }
  | { type: 'found'; messages: Outgoing[] }
  | { type: 'sending' | 'taken' | 'wait' | 'again' | 'discard'; id: string }
  | { type: 'refused'; id: string; fault: string }
  | { type: 'file'; id: string; key: string; change: Partial<Attachment> }

export function reduceOutbox(outbox: Outbox, action: OutboxAction): Outbox {
  switch (action.type) {
    case 'compose':
      return merged(outbox, [action.message])
    case 'found':
      return merged(outbox, action.messages)
    case 'sending':
    case 'taken':
      return changed(outbox, action.id, { stage: action.type })
    case 'wait':
      return changed(outbox, action.id, { stage: 'queued' })
    case 'again':
      return outbox.map((one) => (one.id === action.id ? again(one) : one))
    case 'discard':
      return outbox.filter((one) => one.id !== action.id)
    case 'refused':
      return changed(outbox, action.id, { stage: 'failed', fault: action.fault })
    case 'file':
      return changed(outbox, action.id, {}, (file) =>
        file.key === action.key ? { ...file, ...action.change } : file,
      )
  }
}

/** Without the messages that the stream now shows. */
export function withoutHeard(outbox: Outbox, messages: Iterable<Message>): Outbox {
  const heard = new Set<string | null>()
  for (const message of messages) heard.add(message.client_id)
  return outbox.some((one) => heard.has(one.id))
    ? outbox.filter((one) => !heard.has(one.id))
    : outbox
}

/** What was sent without an answer waits again; the hub knows it by its id. */
export function unanswered(outbox: Outbox): Outbox {
  return outbox.map((one) => (one.stage === 'sending' ? { ...one, stage: 'queued' } : one))
}

/** The first text that may go now. One after the other, so that their order stays. */
export function nextToSend(outbox: Outbox): Outgoing | undefined {
  return outbox.find((one) => one.stage === 'queued' && one.files.every((file) => file.id))
}

export function needsKeeping(one: Outgoing): boolean {
  return one.stage !== 'taken'
}

function again(one: Outgoing): Outgoing {
  const gone = one.fault === 'unknown_file' && { id: null }
  const files = one.files.map((file) => ({ ...file, ...gone, fault: null }))
  return { ...one, files, stage: 'queued', fault: null }
}

function merged(outbox: Outbox, more: Outgoing[]): Outbox {
  const known = new Set(outbox.map((one) => one.id))
  const added = more.filter((one) => !known.has(one.id))
  return [...outbox, ...added].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function changed(
  outbox: Outbox,
  id: string,
  change: Partial<Outgoing>,
  file: (file: Attachment) => Attachment = (same) => same,
): Outbox {
  return outbox.map((one) =>
    one.id === id ? { ...one, ...change, files: one.files.map(file) } : one,
  )
}

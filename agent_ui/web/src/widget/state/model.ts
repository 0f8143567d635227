/** What the hub says to a visitor's widget (docs/protocol.md, "The widget"). */
import type { CallSeen } from '@shared/call/model'

export interface Conversation {
  id: string
  version: number
  state: 'waiting' | 'talking' | 'closed'
  agent: string
  read_to: string | null
  created_at: string
  closed_at: string | null
  /** A call that is offered or asked for; null or absent: there is none. */
  callback?: Callback | null
}

export interface Callback {
  state: 'offered' | 'asked' | 'declined'
  number: string | null
  /** The number as people write it. */
  shown: string | null
  calls: number
  next_at: string | null
}

export interface FilePart {
  type: 'file'
  file: string
  name: string
  media_type: string
  size: number
}

export type Part =
  | { type: 'text'; text: string }
  | FilePart
  | { type: 'system'; code: string }

export interface Message {
  id: string
  version: number
  conversation: string
  author: 'customer' | 'agent' | 'system' | 'notice'
  agent: string
  parts: Part[]
  state: string
  client_id: string | null
  at: string
}

interface Change<Entity extends string, View> {
  pos: number
  prev: number
  entity: Entity
  id: string
  version: number
  view: View | null
  at: string
}

export type StreamEvent = Change<'conversation', Conversation> | Change<'message', Message> | Change<'call', CallSeen>

export interface Place {
  position: number | null
  nobody: boolean
  /** The expected wait; null or absent while nobody can tell. */
  wait_min?: number | null
}

interface Head {
  pos: number
  position: Place | null
}

export interface Resumed extends Head {
  mode: 'resume'
  events: StreamEvent[]
}

export interface Snapshot extends Head {
  mode: 'snapshot'
  conversation: Conversation | null
  messages: Message[]
  /** The calls that are going on; absent: there is none. */
  calls?: CallSeen[]
}

export type HelloAnswer = Resumed | Snapshot

export interface Topic {
  key: string
  /** Its queue is open, or hands on to one that is. */
  open: boolean
  name: string
  name_en: string
}

export interface About {
  name: string
  name_en: string
  language: string
  greeting: string
  greeting_en: string
  online: boolean
  /** The site's queue is open, or hands on to one that is. */
  open: boolean
  /** When it opens next; null: it is open, or nobody knows. */
  opens: string | null
  /** For how long a new contact would wait, 0 for not at all; null: nobody knows. */
  wait_min: number | null
  time_zone: string
  upload_limit: number
  text_limit: number
  color: string
  topics: Topic[]
  /** How visitors may call from here; absent: not at all. */
  calls?: 'none' | 'voice' | 'video'
  /** The servers by which browsers find each other. */
  ice?: RTCIceServer[]
}

export interface StoredFile {
  id: string
  name: string
  media_type: string
  size: number
}

/** Who is signed in on the host page, signed by the host's server. */
export interface Claim {
  id: string
  name: string
  phone: string
  mail: string
  issued_at: string
  signature: string
  /** What the business says of this customer, signed with the rest. */
  attributes?: Attributes
}

export type Attributes = Record<string, string>

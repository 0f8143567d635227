import type { CallAnswer, CallView } from '@shared/call/model'

/** The views that the hub sends, as docs/protocol.md names them. Times are RFC 3339 in UTC. */
export type ChannelName = 'voice' | 'video' | 'chat' | 'sms' | 'email' | 'social' | 'custom'
export type Presence = 'available' | 'away' | 'missed' | 'offline'
export type Activity = 'idle' | 'busy' | 'wrap_up'
export type ConversationState = 'open' | 'waiting_customer' | 'snoozed' | 'closed'
export type ItemState =
  | 'waiting'
  | 'offered'
  | 'assigned'
  | 'wrap_up'
  | 'done'
  | 'cancelled'
  | 'abandoned'
export type OfferState = 'pending' | 'accepted' | 'declined' | 'timed_out' | 'withdrawn'
export type MessageState =
  | 'received'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'unknown'
  | 'failed'
export type Mode = 'reply' | 'note'
export type Scheme = 'phone' | 'mail' | 'visitor' | 'customer' | 'raw'

/** What chose the queue in which a conversation began. */
export interface Chosen {
  by: 'rule' | 'topic' | 'account'
  queue: string
  rule?: string
  version?: number
  name?: string
  name_en?: string
}

/** What was told beside the messages; `attributes` by anybody, not signed. */
export interface Context {
  page?: { url: string; title: string }
  attributes?: Record<string, string>
  chosen?: Chosen
  callback?: Wish
}

/** A call that was offered to the customer, or that they asked for. */
export interface Wish {
  item: string
  state: 'offered' | 'asked' | 'declined' | 'reached' | 'given_up'
  number: string | null
  /** The number as people write it. */
  shown?: string
  country?: string
  /** Where the number belongs, if that is abroad; else empty. */
  zone?: string
  asked_at?: string
  calls: number
  next_at: string | null
}

export interface Conversation {
  id: string
  number: number
  version: number
  account: string
  channel: ChannelName
  queue: string
  state: ConversationState
  subject: string
  language: string
  owner: string | null
  owner_name: string
  last_owner: string | null
  continues: string | null
  preview: string
  preview_author: 'customer' | 'agent' | 'system' | ''
  identity: string
  customer: { id: string; name: string; language: string }
  last_at: string
  inbound_at: string | null
  inbound_seq: number
  seen_seq: number
  unanswered_since: string | null
  context: Context | null
  wrap_up: { code: string } | null
  created_at: string
  closed_at: string | null
}

export interface Handover {
  by: string
  by_name: string
  at: string
  reason: string
  summary: string
  queue: string
  agent: string | null
  agent_name: string
}

export interface Turn {
  id: string
  agent: string
  agent_name: string
  offer: string | null
  started_at: string
  wrap_up_at: string | null
  ended_at: string | null
  why: string
  facts: string[]
}

export interface Item {
  id: string
  version: number
  conversation: string
  queue: string
  channel: ChannelName
  kind: string
  state: ItemState
  owner: string | null
  owner_name: string
  enqueued_at: string
  assigned_at: string | null
  topic: string
  /** Null: that of the queue. */
  priority: number | null
  /** Whether a supervisor gave it another place in its queue. */
  moved: boolean
  transfer: null | 'direct' | 'open'
  paused: boolean
  /** When the wrap-up ends by itself; null: no limit. */
  wrap_up_until: string | null
  /** Whether the customer is to be called. */
  callback: 'none' | 'offered' | 'asked' | 'reached'
  /** How many calls were in vain. */
  calls: number
  /** Nobody is asked earlier. */
  not_before: string | null
  handover: Handover | null
  reason: { blocked: string | boolean; facts: string[] } | null
  offer: {
    id: string
    agent: string
    agent_name: string
    deadline: string
    transfer: boolean
    /** How many more are asked at the same time. */
    others: number
  } | null
  history: Turn[]
  closed_at: string | null
}

export interface OfferIdentity {
  scheme: Scheme
  value: string
  verified: boolean
}

export interface Offer {
  id: string
  version: number
  item: string
  conversation: string
  number: number
  agent: string
  agent_name: string
  state: OfferState
  reason: string
  winner_name: string | null
  transfer: boolean
  made_at: string
  deadline: string
  closed_at: string | null
  queue: string
  channel: ChannelName
  topic: string
  facts: string[]
  waited_s: number
  enqueued_at: string
  customer: { id: string; name: string; identities: OfferIdentity[] }
  preview: string
  handover: Handover | null
  callback: { number: string; shown: string; asked_at: string; calls: number } | null
  /** Of a call: what its customer has chosen in the menu. */
  call: { id: string; answers: CallAnswer[] } | null
  open: OpenMatter[]
  /** Of a call: what its customer was served with last, the latest first. */
  earlier: EarlierMatter[]
  service_level_s: number
}

export interface OpenMatter {
  conversation: string
  number: number
  channel: ChannelName
  subject: string
  preview: string
  state: ConversationState
  owner_name: string
  last_at: string
}

export interface EarlierMatter extends OpenMatter {
  queue: string
  /** What it ended with; empty: nobody said. */
  code: string
}

export interface Agent {
  id: string
  version: number
  key: string
  name: string
  presence: Presence
  reason: string
  /** The reason of the away that follows when the present work has ended; null: none. */
  away_after: string | null
  /** Null until the agent has signed in once. */
  since: string | null
  changed_by: string | null
  changed_by_name: string
  activity: Activity
  activity_since: string | null
  used: number
  reserved: number
  free: number
  units: number
  connected: boolean
  queues: string[]
  skills: Record<string, number>
  teams: string[]
}

export type Part =
  | { type: 'text'; text: string }
  | { type: 'file'; file: string; name: string; media_type: string; size: number; lost?: boolean }
  | { type: 'system'; code: string; data: Record<string, unknown> }

export interface Message {
  id: string
  version: number
  conversation: string
  author: 'customer' | 'agent' | 'system' | 'notice'
  direction: 'in' | 'out'
  visibility: 'public' | 'internal'
  channel: ChannelName
  account: string
  identity: string | null
  agent: string | null
  agent_name: string
  parts: Part[]
  state: MessageState
  reason: string
  /** While it is `queued` or `sending`: when it goes out and how often it was tried; null: nothing puts it off. */
  retry: { at: string; attempts: number } | null
  late: boolean
  provider_at: string | null
  received_at: string
}

export interface Identity {
  id: string
  scheme: Scheme
  value: string
  verified: boolean
  /** A person said that it belongs to this customer. */
  linked: boolean
  name: string
  created_at: string
}

export interface Customer {
  id: string
  version: number
  name: string
  language: string
  attributes: Record<string, unknown>
  created_at: string
  identities: Identity[]
}

export interface Draft {
  id: string
  conversation: string
  mode: Mode
  text: string
  version: number
  at: string
}

/** What the person of this desk has set, here or at another desk. */
export interface OwnPreferences {
  id: string
  version: number
  preferences: Record<string, unknown>
}

export interface EntityViews {
  call: CallView
  agent: Agent
  offer: Offer
  conversation: Conversation
  item: Item
  draft: Draft
  message: Message
  customer: Customer
  preferences: OwnPreferences
}

export type EntityName = keyof EntityViews

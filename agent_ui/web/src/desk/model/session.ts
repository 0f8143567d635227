import type { ChannelName, Scheme } from './entities'

export type Role = 'agent' | 'supervisor' | 'administrator'

export interface Me {
  id: string
  key: string
  name: string
  language: string
  roles: Role[]
  queues: string[]
  teams: string[]
  units: number
}

export interface Capabilities {
  text_limit: number
  files: boolean
  typing: boolean
  delivery_receipts: boolean
  read_receipts: boolean
  segments: boolean
}

/** What people gave a name, and perhaps an English one. */
export interface Named {
  name: string
  name_en?: string
}

export interface HubQueue extends Named {
  key: string
  service_level_s: number
  wrap_up: ({ key: string } & Named)[]
  /** Seconds until a wrap-up ends by itself; 0: no limit. */
  wrap_up_s: number
  /** Calls to customers who ask for one. */
  callback: { retry_s: number; attempts: number }
}

export interface HubAccount extends Named {
  id: string
  key: string
  channel: ChannelName
  paused: boolean
  /** Whether customers are called by it. */
  calls?: boolean
  /** Whether customers call by it. */
  talks?: boolean
  /** Addresses that it may write to first. */
  reaches: Scheme[]
  capabilities: Capabilities
}

export interface Hub {
  name: string
  version: string
  queues: HubQueue[]
  accounts: HubAccount[]
  skills?: ({ key: string } & Named)[]
  upload_limit: number
  text_limit: number
}

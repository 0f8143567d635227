import { call } from '@desk/acts/api'
import { nameIn } from '@desk/parts/names'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { WEEKDAYS, type Span } from './spans'

export type Kind = 'queue' | 'hours' | 'agent' | 'team' | 'skill' | 'account' | 'routing_rule' | 'flow'
export type Body = Record<string, unknown>

export interface ConfigObject {
  kind: Kind
  key: string
  id: string
  version: number
  body: Body
}

export interface Fault {
  place: string
  message: string
  /** A stable code; none where only the sentence says what is wrong. */
  type?: string
  facts?: Record<string, unknown>
}

/** The configuration as the administrator sees it; read anew after every change. */
export const useConfig = defineStore('config', () => {
  const objects = shallowRef<ConfigObject[]>([])
  const number = ref(0)
  const loaded = ref(false)
  const error = shallowRef<unknown>(null)

  async function load(): Promise<void> {
    error.value = null
    try {
      const found = await call<{ number: number; objects: ConfigObject[] }>('GET', '/config')
      objects.value = found.objects
      number.value = found.number
      loaded.value = true
    } catch (fault) {
      error.value = fault
    }
  }

  const of = (kind: Kind): ConfigObject[] => objects.value.filter((each) => each.kind === kind)
  const find = (kind: Kind, key: string): ConfigObject | undefined =>
    objects.value.find((each) => each.kind === kind && each.key === key)
  const byKind = computed(() => ({ queue: of('queue'), agent: of('agent'), team: of('team'), skill: of('skill') }))

  return { objects, number, loaded, error, load, of, find, byKind }
})

/** What an object's body calls it before the reader; nothing before it has a name. */
export function bodyName(locale: string, { name, name_en }: Body): string {
  return nameIn(locale, { name: String(name ?? ''), name_en: String(name_en ?? '') })
}

/** A new object of a kind, before anybody has filled it in. */
export function blank(kind: Kind): Body {
  const bodies: Record<Kind, Body> = {
    skill: { name: '', name_en: '' },
    team: { name: '', name_en: '', serves: [] },
    queue: {
      name: '', name_en: '', requires: {}, prefers: {}, agents: '', priority: 1, order: 'age', ageing: { slope: 1, boost: 0 },
      agent_choice: 'longest_idle', idle_since: 'work', preferred_wait_s: 0, offer_to: 1, auto_accept: false, weights: {}, rings: [],
      overflow: [], help: [], alerts: [], max_waiting: null, max_wait_s: 0, full: { to_queue: '', text: '', text_en: '' }, offer_timeout_s: 20,
      misses: 1, transfer_timeout_s: 60, service_level_s: 120, wrap_up_s: 0, wrap_up: [], hours: '', closed: false,
      outside: { action: 'message', text: '', text_en: '', to_queue: '' },
    },
    hours: {
      name: '', name_en: '', time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, holidays: '', days: [],
      week: Object.fromEntries(WEEKDAYS.map((day, at): [string, Span[]] => [day, at < 5 ? [['09:00', '18:00']] : []])),
    },
    agent: { name: '', mail: '', language: 'ja', roles: ['agent'], teams: [], skills: {}, attributes: {}, units: 5, share: 1, per_channel: {}, interrupts: {}, active: true },
    account: {},
    flow: { name: '', name_en: '', start: '', steps: {} },
    routing_rule: { name: '', name_en: '', order: 10, when: '', queue: '', priority: null, requires: {}, agent: '', active: true },
  }
  return structuredClone(bodies[kind])
}

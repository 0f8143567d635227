import { call } from '@desk/acts/api'
import { onBeforeUnmount, shallowRef, watch, type WatchSource } from 'vue'
import type { Fault } from './config'

export type FactType = 'text' | 'int' | 'bool' | 'texts' | 'text_map' | 'int_map' | 'any_map' | 'any'

export interface FactName {
  name: string
  type: FactType
}

export interface Checked {
  steps: number | null
  budget: number
  fault: Fault | null
  /** Of a condition on agents: whom it lets in. */
  agents?: { key: string; name: string; suits: boolean; why: string }[]
}

/** What one rule says of a contact. */
export interface Asked {
  key: string
  name: string
  name_en: string
  order: number
  outcome: 'holds' | 'not' | 'cannot_tell'
  why: string
  untrue: string[]
}

export interface Tried {
  queue: string
  by: 'rule' | 'topic' | 'account'
  rule: string | null
  rules: Asked[]
}

/** A fact as it is written in the form: `attributes.plan` names one of a map. */
export interface Written {
  name: string
  value: string
}

const PAUSE_MS = 300

/** Asks the hub whenever something has changed and a moment has passed; null: no answer, or not yet. */
export function useAsked<Answer>(what: WatchSource, path: string, body: () => unknown) {
  const found = shallowRef<Answer | null>(null)
  let asked: AbortController | null = null
  let pause = 0

  async function ask(): Promise<void> {
    asked?.abort()
    const mine = (asked = new AbortController())
    const answer = await call<Answer>('POST', path, { body: body(), signal: mine.signal }).catch(() => null)
    if (mine === asked) found.value = answer
  }

  watch(
    what,
    () => {
      clearTimeout(pause)
      pause = window.setTimeout(() => void ask(), PAUSE_MS)
    },
    { deep: true, immediate: true },
  )
  onBeforeUnmount(() => {
    clearTimeout(pause)
    asked?.abort()
  })
  return found
}

/** Facts of the form as the hub takes them; what is not filled in, or has no such name, is left out. */
export function factsOf(written: readonly Written[], names: readonly FactName[]): Record<string, unknown> {
  const types = new Map(names.map(({ name, type }) => [name, type]))
  const facts: Record<string, unknown> = {}
  for (const { name, value } of written) {
    const [map = '', key = ''] = name.trim().split(/\.(.*)/s)
    const type = types.get(name.trim())
    if (types.get(map) === 'text_map' && key) facts[map] = { ...(facts[map] as object | undefined), [key]: value }
    else if (type === 'text') facts[name.trim()] = value
    else if (type === 'bool') facts[name.trim()] = value.trim() === 'true'
    else if (type === 'int' && /^\d+$/.test(value.trim())) facts[name.trim()] = Number(value)
  }
  return facts
}

/** The name under which the catalogue explains a fact: a dot would lead deeper into it. */
export const factKey = (name: string): string => name.replace('.', '_')

import { call as ask, Problem } from '@desk/acts/api'
import { useActing } from '@desk/acts/acting'
import type { Customer } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { useRouter } from 'vue-router'

/** A number as the hub calls it. */
export interface Whom {
  number: string
  shown: string
  country: string
  zone: string
  customer: { id: string; name: string } | null
}

/** Somebody who is known here, by one of their numbers. */
export interface Suggestion {
  id: string
  name: string
  number: string
}

const WAIT_MS = 350
const LEAST = 3
const MOST = 5

export const plain = (text: string): string => text.normalize('NFKC').replace(/[^\d+*#]/g, '')

/** Customers whose name, or one of whose numbers, holds what was typed. */
export function suggestions(customers: Iterable<Customer>, typed: string): Suggestion[] {
  const words = typed.normalize('NFKC').trim().toLowerCase()
  const digits = plain(typed).replace(/^(\+81|0)/, '')
  if (!words) return []
  const found: Suggestion[] = []
  for (const { name, identities } of customers) {
    for (const each of identities) {
      if (each.scheme !== 'phone') continue
      const named = name.toLowerCase().includes(words)
      if (named || (digits.length >= LEAST && each.value.includes(digits))) found.push({ id: each.id, name, number: each.value })
    }
  }
  return found.slice(0, MOST)
}

/** Calling a number: what was typed, whose it is, why it is not called. */
export function useDial() {
  const session = useSession()
  const router = useRouter()
  const { reason } = useActing()
  const typed = ref('')
  const account = ref('')
  const whom = shallowRef<Whom | null>(null)
  const refusal = ref('')
  const busy = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  const accounts = computed(() => (session.hub?.accounts ?? []).filter((each) => each.calls && !each.paused))
  const from = computed(() => account.value || (accounts.value[0]?.key ?? ''))
  const number = computed(() => plain(typed.value))
  const told = (error: unknown): string => reason(error instanceof Problem ? error : new Problem(500, 'failed', String(error)))

  async function check(): Promise<void> {
    const mine = ++turn
    const query = new URLSearchParams({ number: number.value, account: from.value })
    try {
      const found = await ask<Whom>('GET', `/calls/whom?${query.toString()}`)
      if (mine === turn) whom.value = found
    } catch (error) {
      if (mine === turn) refusal.value = told(error)
    }
  }

  watch([number, from], () => {
    turn += 1
    clearTimeout(timer)
    whom.value = null
    refusal.value = ''
    if (number.value.length >= LEAST && from.value) timer = setTimeout(() => void check(), WAIT_MS)
  })
  onBeforeUnmount(() => clearTimeout(timer))

  async function dial(to = number.value): Promise<void> {
    if (!to || busy.value) return
    busy.value = true
    refusal.value = ''
    try {
      const body = { number: to, ...(from.value && { account: from.value }) }
      const { conversation } = await ask<{ conversation: string }>('POST', '/calls', { body })
      await router.push({ name: 'inbox', params: { tab: 'open', conversation } })
    } catch (error) {
      refusal.value = told(error)
    } finally {
      busy.value = false
    }
  }

  return { typed, account, accounts, from, number, whom, refusal, busy, dial }
}

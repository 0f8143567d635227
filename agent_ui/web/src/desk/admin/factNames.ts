import { call } from '@desk/acts/api'
import { onMounted, shallowRef, type Ref } from 'vue'
import type { FactName } from './rules'

/** What rules may speak of, as the hub knows it. */
export function useFactNames(): Readonly<Ref<FactName[]>> {
  const names = shallowRef<FactName[]>([])
  onMounted(async () => {
    const answer = await call<{ facts: FactName[] }>('GET', '/routing-rules/facts').catch(() => null)
    names.value = answer?.facts ?? []
  })
  return names
}

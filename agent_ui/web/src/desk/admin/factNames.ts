import { call } from '@desk/acts/api'
import { onMounted, shallowRef, type Ref } from 'vue'
import type { FactName } from './rules'

/** What conditions may speak of, as the hub knows it; of agents, their attributes besides. */
export function useFactNames(path: string): Readonly<Ref<FactName[]>> {
  const names = shallowRef<FactName[]>([])
  onMounted(async () => {
    const answer = await call<{ facts: FactName[]; attributes?: string[] }>('GET', path).catch(() => null)
    const more = (answer?.attributes ?? []).map((name): FactName => ({ name: `agent.${name}`, type: 'any' }))
    names.value = [...(answer?.facts ?? []), ...more]
  })
  return names
}

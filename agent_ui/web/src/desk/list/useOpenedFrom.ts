import { ref, watch, type Ref } from 'vue'
import type { Tab } from './ordering'

/**
 * The list that the open conversation was opened from. It stays there until the agent leaves it,
 * whatever becomes of it: an answered one waits for its customer, an ended one for its result.
 */
export function useOpenedFrom(id: Ref<string>, tab: Ref<Tab>, standing: () => Tab | null): Ref<Tab | null> {
  const from = ref<Tab | null>(null)
  watch(
    [id, tab, standing],
    ([now, shown, stands], [before]) => {
      if (now !== before) from.value = null
      if (stands && (stands === shown || !from.value)) from.value = shown
    },
    { immediate: true, flush: 'sync' },
  )
  return from
}

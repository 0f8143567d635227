import { ref, shallowRef, watch, type Ref } from 'vue'
import { steady } from './ordering'

/** Rows that keep their order while the pointer is over them; `view` names what is listed. */
export function useSteady<T extends { id: string }>(rows: () => T[], view: Ref<unknown> = ref(null)) {
  const hovered = ref(false)
  const shown = shallowRef<T[]>([])
  watch(
    [rows, hovered, view],
    ([next, held, now], [, , before]) => {
      shown.value = held && now === before ? steady(next, shown.value.map((row) => row.id)) : next
    },
    { immediate: true },
  )
  return { shown, hovered }
}

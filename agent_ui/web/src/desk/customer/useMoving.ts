import { nextTick, onBeforeUnmount, ref, type ComputedRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { moved, type Block } from './order'

/**
 * Moves blocks by the arrow keys on their handle, and by the pointer: a dragged block takes the
 * place of the one whose middle it has passed. Every step is kept and said.
 */
export function useMoving(
  order: ComputedRef<Block[]>,
  shown: ComputedRef<Block[]>,
  kept: Ref<readonly string[]>,
  list: Readonly<Ref<HTMLElement | null>>,
  title: (name: Block) => string,
) {
  const { t } = useI18n()
  const dragged = ref<Block | null>(null)
  const said = ref('')

  function place(name: Block, at: number): void {
    const taken = shown.value[at]
    if (!taken || taken === name) return
    kept.value = moved(order.value, name, taken)
    said.value = t('desk.customer.moved', { name: title(name), place: at + 1, of: shown.value.length })
  }

  function step(name: Block, at: number, by: number): void {
    place(name, at + by)
    void nextTick(() => list.value?.querySelector<HTMLElement>(`[data-handle="${name}"]`)?.focus())
  }

  /** The place of the pointer among the blocks, whose heights differ. */
  function under(y: number): number {
    const boxes = [...(list.value?.children ?? [])].map((each) => each.getBoundingClientRect())
    const from = shown.value.indexOf(dragged.value as Block)
    const passed = boxes.findIndex((box, at) => at < from && y < box.top + box.height / 2)
    if (passed >= 0) return passed
    return boxes.findLastIndex((box, at) => at > from && y > box.top + box.height / 2)
  }

  function follow(event: PointerEvent): void {
    if (!dragged.value) return
    const at = under(event.clientY)
    if (at >= 0) place(dragged.value, at)
  }

  function drop(): void {
    dragged.value = null
    window.removeEventListener('pointermove', follow)
    window.removeEventListener('pointerup', drop)
    window.removeEventListener('pointercancel', drop)
  }

  function grab(name: Block, event: PointerEvent): void {
    if (event.button !== 0) return
    dragged.value = name
    window.addEventListener('pointermove', follow)
    window.addEventListener('pointerup', drop)
    window.addEventListener('pointercancel', drop)
  }

  onBeforeUnmount(drop)
  return { dragged, said, step, grab }
}

import { nextTick, onBeforeUnmount, ref, type ComputedRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'

/** What a list with movable rows says of itself. */
export interface Movable<Name extends string> {
  /** The names in the order that is shown. */
  shown: ComputedRef<readonly Name[]>
  list: Readonly<Ref<HTMLElement | null>>
  title: (name: Name) => string
  /** Lets one take the place of another. */
  take: (name: Name, taken: Name) => void
  /** One has come to rest at its place: by a key, or let go. */
  rested?: () => void
}

/**
 * Moves rows by the arrow keys on their handle, and by the pointer: a dragged row takes the place
 * of the one whose middle it has passed. Every step is said.
 */
export function useMoving<Name extends string>({ shown, list, title, take, rested }: Movable<Name>) {
  const { t } = useI18n()
  const dragged = ref<Name | null>(null) as Ref<Name | null>
  const said = ref('')

  function place(name: Name, at: number): boolean {
    const taken = shown.value[at]
    if (!taken || taken === name) return false
    take(name, taken)
    said.value = t('desk.moving.done', { name: title(name), place: at + 1, of: shown.value.length })
    return true
  }

  function step(name: Name, at: number, by: number): void {
    if (place(name, at + by)) rested?.()
    void nextTick(() => list.value?.querySelector<HTMLElement>(`[data-handle="${name}"]`)?.focus())
  }

  /** The place of the pointer among the rows, whose heights differ. */
  function under(y: number): number {
    const boxes = [...(list.value?.children ?? [])].map((each) => each.getBoundingClientRect())
    const from = shown.value.indexOf(dragged.value as Name)
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
    if (dragged.value) rested?.()
    dragged.value = null
    window.removeEventListener('pointermove', follow)
    window.removeEventListener('pointerup', drop)
    window.removeEventListener('pointercancel', drop)
  }

  function grab(name: Name, event: PointerEvent): void {
    if (event.button !== 0) return
    dragged.value = name
    window.addEventListener('pointermove', follow)
    window.addEventListener('pointerup', drop)
    window.addEventListener('pointercancel', drop)
  }

  onBeforeUnmount(drop)
  return { dragged, said, step, grab }
}

/** A list in which one has taken the place of another. */
export function replaced<Name>(order: readonly Name[], name: Name, place: Name): Name[] {
  if (name === place) return [...order]
  const [from, to] = [order.indexOf(name), order.indexOf(place)]
  const rest = order.filter((each) => each !== name)
  rest.splice(rest.indexOf(place) + (from < to ? 1 : 0), 0, name)
  return rest
}

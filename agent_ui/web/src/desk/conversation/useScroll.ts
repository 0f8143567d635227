import { computed, nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'
import type { TimelineRow } from './timeline'

interface Place {
  top: number
  atEnd: boolean
  from: number
}

interface Older {
  more(): boolean
  older(): void
}

/** Rows in the page at first, and how many more each time the top comes near. */
const WINDOW = 120
const STEP = 60
/** Nearer to an edge than this counts as being there. */
const NEAR = 48
const FAR = 600

const places = new Map<string, Place>()

/**
 * The timeline's scrolling: stays at the end while it is there, else nothing moves by itself; keeps
 * each conversation's place; holds only the last rows of long ones in the page.
 */
export function useScroll(
  box: Readonly<Ref<HTMLElement | null>>,
  id: Ref<string>,
  rows: Ref<TimelineRow[]>,
  inbound: Ref<number>,
  older: Older,
) {
  const atEnd = ref(true)
  const fresh = ref(0)
  const hidden = ref(0)
  let growing = false

  const shown = computed(() => rows.value.slice(Math.min(hidden.value, Math.max(0, rows.value.length - WINDOW))))

  function scroll(): void {
    const element = box.value
    if (!element) return
    atEnd.value = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR
    if (atEnd.value) fresh.value = 0
    places.set(id.value, { top: element.scrollTop, atEnd: atEnd.value, from: hidden.value })
    if (element.scrollTop < FAR) void grow()
  }

  async function grow(): Promise<void> {
    if (growing) return
    if (hidden.value > 0) {
      growing = true
      await keeping(() => (hidden.value = Math.max(0, hidden.value - STEP)))
      growing = false
    } else if (older.more()) older.older()
  }

  /** Changes what is above without moving what is seen. */
  async function keeping(change: () => void): Promise<void> {
    const element = box.value
    const below = element ? element.scrollHeight - element.scrollTop : 0
    change()
    await nextTick()
    if (element) element.scrollTop = element.scrollHeight - below
  }

  async function toEnd(): Promise<void> {
    atEnd.value = true
    fresh.value = 0
    await nextTick()
    if (box.value) box.value.scrollTop = box.value.scrollHeight
  }

  async function restore(): Promise<void> {
    const place = places.get(id.value)
    hidden.value = place?.from ?? Math.max(0, rows.value.length - WINDOW)
    if (!place || place.atEnd) return toEnd()
    atEnd.value = false
    await nextTick()
    if (box.value) box.value.scrollTop = place.top
  }

  watch(id, () => void restore(), { flush: 'post' })
  watch(inbound, (now, before) => {
    if (!atEnd.value && now > before) fresh.value += now - before
  })
  watch(
    () => [rows.value[0]?.key, rows.value.length] as const,
    ([first], [before]) => {
      if (atEnd.value) {
        hidden.value = Math.max(0, rows.value.length - WINDOW)
        void toEnd()
      } else if (first !== before) void keeping(() => undefined)
    },
    { flush: 'pre' },
  )

  let observer: ResizeObserver | null = null
  onMounted(() => {
    void restore()
    if (typeof ResizeObserver === 'undefined' || !box.value) return
    observer = new ResizeObserver(() => atEnd.value && box.value && (box.value.scrollTop = box.value.scrollHeight))
    observer.observe(box.value)
  })
  onBeforeUnmount(() => observer?.disconnect())

  return { shown, atEnd, fresh, scroll, toEnd }
}

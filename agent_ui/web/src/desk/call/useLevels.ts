import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { useCalls } from './calls'

const EVERY_MS = 125
/** Speech into a muted microphone is said for this long. */
const SAID_MS = 3_000

/** How loud everybody is, and whether the own muted microphone hears speech, while the page shows. */
export function useLevels() {
  const calls = useCalls()
  const levels = shallowRef<ReadonlyMap<string, number>>(new Map())
  const speaking = ref(false)
  let spokeAt = -SAID_MS
  let timer: ReturnType<typeof setInterval> | undefined

  function read(): void {
    const { media } = calls
    if (!media || document.hidden) return
    levels.value = media.levels()
    if (media.speaks()) spokeAt = performance.now()
    speaking.value = calls.mine?.leg.muted === true && performance.now() - spokeAt < SAID_MS
  }

  onMounted(() => (timer = setInterval(read, EVERY_MS)))
  onBeforeUnmount(() => clearInterval(timer))
  return { levels, speaking }
}

import { useLive } from '@desk/stream/live'
import { onBeforeUnmount, watch, type Ref } from 'vue'

/** The sign is renewed at most this often; the other side forgets it after 6 s. */
const RENEW_MS = 3_000

/** Tells that this agent writes, while they do. */
export function useTypingSign(conversation: Ref<string>, allowed: () => boolean) {
  const live = useLive()
  let told = 0

  function typed(something: boolean): void {
    if (!something) return stop()
    if (!allowed() || Date.now() - told < RENEW_MS) return
    told = Date.now()
    live.typing(conversation.value, true)
  }

  function stop(of = conversation.value): void {
    if (!told) return
    told = 0
    live.typing(of, false)
  }

  watch(conversation, (_, before) => stop(before))
  onBeforeUnmount(() => stop())
  return { typed, stop: () => stop() }
}

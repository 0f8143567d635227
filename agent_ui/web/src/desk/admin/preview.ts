import { call } from '@desk/acts/api'
import type { Named } from '@desk/model/session'
import type { Opening } from '@desk/parts/opening'
import { onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'
import type { Body } from './config'

export interface Preview extends Opening {
  holidays: (Named & { date: string })[]
}

const PAUSE_MS = 300
const AGAIN_MS = 30_000

/** What hours would mean now, asked when they change and from time to time; null where they do not hold. */
export function useHoursPreview(body: Ref<Body>): Readonly<Ref<Preview | null>> {
  const found = shallowRef<Preview | null>(null)
  let asked: AbortController | null = null
  let pause = 0

  async function ask(): Promise<void> {
    asked?.abort()
    const mine = (asked = new AbortController())
    const sent = { ...body.value, name: body.value['name'] || '-' }
    const answer = await call<Preview>('POST', '/hours/preview', { body: { body: sent }, signal: mine.signal }).catch(() => null)
    if (mine === asked) found.value = answer
  }

  watch(
    body,
    () => {
      clearTimeout(pause)
      pause = window.setTimeout(() => void ask(), PAUSE_MS)
    },
    { deep: true, immediate: true },
  )
  const again = window.setInterval(() => void ask(), AGAIN_MS)
  onBeforeUnmount(() => {
    clearTimeout(pause)
    clearInterval(again)
    asked?.abort()
  })
  return found
}

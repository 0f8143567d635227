import { call } from '@desk/acts/api'
import { defineStore } from 'pinia'
import { onBeforeUnmount, onMounted, shallowRef } from 'vue'
import type { QueueOpening } from './opening'

const AGAIN_MS = 20_000

/** Which queues are open. */
export const useOpenings = defineStore('openings', () => {
  const queues = shallowRef<QueueOpening[]>([])

  async function load(): Promise<void> {
    const found = await call<{ queues: QueueOpening[] }>('GET', '/queues').catch(() => null)
    if (found) queues.value = found.queues
  }
  /** Closes a queue whatever its hours say, or lets its hours count again. */
  async function close(key: string, closed: boolean, reason: string): Promise<void> {
    await call('PUT', `/queues/${encodeURIComponent(key)}/closed`, { body: { closed, reason } })
    await load()
  }
  const of = (key: string): QueueOpening | undefined => queues.value.find((each) => each.key === key)
  return { queues, load, close, of }
})

/** The openings, kept fresh while a component shows them. */
export function useFreshOpenings(): ReturnType<typeof useOpenings> {
  const openings = useOpenings()
  let again = 0
  onMounted(() => {
    void openings.load()
    again = window.setInterval(() => void openings.load(), AGAIN_MS)
  })
  onBeforeUnmount(() => clearInterval(again))
  return openings
}

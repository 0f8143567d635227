import type { ChannelName } from '@desk/model/entities'
import { defineStore } from 'pinia'
import { reactive } from 'vue'

/** What happened to contacts since midnight; null where nothing is divided. */
export interface Counts {
  answered: number
  in_time: number
  abandoned: number
  service_level: number | null
  speed_of_answer_s: number | null
}

export interface QueueFigures extends Counts {
  queue: string
  expected_s: number | null
  /** The teams that help it now. */
  helped_by: { key: string; name: string; name_en: string }[]
  channels: Partial<Record<ChannelName, Counts>>
}

/** The queues' figures of today, as the hub last told them. */
export const useFigures = defineStore('figures', () => {
  const queues = reactive(new Map<string, QueueFigures>())

  function told({ queues: views }: { queues: QueueFigures[] }): void {
    for (const view of views) queues.set(view.queue, view)
  }

  return { queues, told }
})

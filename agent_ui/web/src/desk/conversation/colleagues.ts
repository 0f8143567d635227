import { call } from '@desk/acts/api'
import type { Activity, Presence } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { computed, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Target } from './TransferTargets.vue'

export interface Colleague {
  id: string
  name: string
  presence: Presence
  activity: Activity
  free: number
  units: number
  queues: string[]
}

/** The others who work here, as targets: who can be asked comes first, with the most room. */
export function useColleagues() {
  const { t } = useI18n()
  const session = useSession()
  const colleagues = shallowRef<Colleague[]>([])

  async function load(): Promise<void> {
    colleagues.value = (await call<{ agents: Colleague[] }>('GET', '/agents').catch(() => ({ agents: [] }))).agents
  }

  const targets = computed<Target[]>(() =>
    colleagues.value
      .filter((each) => each.id !== session.me?.id)
      .sort((a, b) => Number(b.presence === 'available') - Number(a.presence === 'available') || b.free - a.free)
      .map(({ id, name, presence, activity, free, units }) => ({
        id,
        name,
        sign: presence === 'available' && activity !== 'idle' ? activity : presence,
        hint: t('desk.fact.free', { room: `${free}/${units}` }),
        disabled: presence !== 'available',
      })),
  )
  return { colleagues, targets, load }
}

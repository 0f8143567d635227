import { useSession } from '@desk/session/session'
import { useWorld } from '@desk/stream/world'
import { computed } from 'vue'
import { waits, type Wait } from './waits'

/** What waits on the Phone page, by its kind. */
export function useWaits() {
  const { world } = useWorld()
  const session = useSession()
  const all = computed(() => waits(world.item.values(), world.conversation, session.me?.id ?? ''))
  const of = (kind: Wait['kind']): Wait[] => all.value.filter((each) => each.kind === kind)
  return { all, voicemails: computed(() => of('voicemail')), callbacks: computed(() => of('callback')) }
}

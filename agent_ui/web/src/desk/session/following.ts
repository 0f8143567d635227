import { useWorld } from '@desk/stream/world'
import { watch } from 'vue'
import { useSession } from './session'
import { useSettings } from './settings'

/** Takes over at once what the person sets at another desk. */
export function useFollowing(): void {
  const settings = useSettings()
  const session = useSession()
  const { world } = useWorld()
  watch(
    () => world.preferences.get(session.me?.id ?? ''),
    (own) => own && settings.take(own.preferences),
  )
}

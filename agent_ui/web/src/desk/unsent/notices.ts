import { useSending } from '@desk/acts/sending'
import { useLists } from '@desk/list/lists'
import { useWorld } from '@desk/stream/world'
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute, useRouter } from 'vue-router'
import { useCause } from './unsent'

/** Long enough to be read and reached; the list goes on saying it afterwards. */
const SHOWN_MS = 20_000

/** Says that a message was refused in a conversation that the agent does not look at. */
export function useUnsentNotices(): void {
  const { t } = useI18n()
  const toast = useToast()
  const route = useRoute()
  const router = useRouter()
  const sending = useSending()
  const lists = useLists()
  const world = useWorld()
  const cause = useCause()
  const keyOf = (id: string): string => `unsent-${id}`
  const open = (id: string): void =>
    void router.push({ name: 'inbox', params: { tab: lists.standing(id) ?? 'open', conversation: id }, hash: '#unsent' })

  function say(id: string): void {
    const refused = sending.held.get(id)?.[0]
    if (!refused || route.params['conversation'] === id) return
    const name = world.world.conversation.get(id)?.customer.name || refused.name || t('desk.customer.unknown')
    toast.add({
      id: keyOf(id),
      title: t('desk.unsent.toast'),
      description: t('desk.unsent.toastMeans', { name, reason: cause(refused) }),
      color: 'error',
      icon: 'i-lucide-circle-alert',
      duration: SHOWN_MS,
      actions: [{ label: t('desk.unsent.open'), color: 'neutral', variant: 'outline', onClick: () => open(id) }],
    })
  }

  watch(
    () => [...sending.held.keys()],
    (now, before) => {
      now.filter((id) => !before.includes(id)).forEach(say)
      before.filter((id) => !now.includes(id)).forEach((id) => toast.remove(keyOf(id)))
    },
  )
  watch(
    () => String(route.params['conversation'] ?? ''),
    (id) => sending.held.has(id) && toast.remove(keyOf(id)),
  )
}

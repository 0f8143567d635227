import { useLists } from '@desk/list/lists'
import { waiting } from '@desk/list/waiting'
import type { Message } from '@desk/model/entities'
import { useOffers } from '@desk/offers/offers'
import { useSettings } from '@desk/session/settings'
import { seconds } from '@desk/stream/clock'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { computed, onBeforeUnmount, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useSession } from '@desk/session/session'
import { notice } from './desktop'
import { useGiven } from './given'
import { play, type Sound } from './sounds'
import { claim, leading } from './tabs'

const SOFT_EVERY_MS = 5_000
const GIVEN_SHOWN_MS = 10_000
/** Sounds, the tab's title and desktop notices, for what happens while nobody looks. */
export function useNotices(): void {
  const { t } = useI18n()
  const router = useRouter()
  const toast = useToast()
  const settings = useSettings()
  const world = useWorld()
  const session = useSession()
  const lists = useLists()
  const offers = useOffers()
  const shown = new Map<string, Notification | null>()
  const late = new Set<string>()
  let softAt = 0

  const sound = (which: Sound): void => {
    if (settings.sounds && leading()) play(which)
  }

  watch(
    () => offers.pending.map((offer) => offer.id),
    (now, before = []) => {
      for (const id of now.filter((each) => !before.includes(each))) {
        const offer = world.world.offer.get(id)
        if (!offer) continue
        if (offer.channel !== 'voice' && offer.channel !== 'video') sound('offer')
        const hidden = document.hidden && leading()
        const name = offer.customer.name || t('desk.customer.unknown')
        shown.set(id, hidden ? notice(t('desk.title.offer', { name }), id, () => void router.push('/inbox/open')) : null)
      }
      for (const id of before.filter((each) => !now.includes(each))) shown.get(id)?.close()
    },
    { immediate: true },
  )

  function heard(message: Message): void {
    const conversation = world.world.conversation.get(message.conversation)
    if (message.direction !== 'in' || conversation?.owner !== session.me?.id) return
    if (Date.now() - softAt < SOFT_EVERY_MS) return
    softAt = Date.now()
    sound('message')
  }
  useGiven(({ item, by }) => {
    const customer = world.world.conversation.get(item.conversation)?.customer.name
    const name = customer ? t('desk.customer.sama', { name: customer }) : t('desk.customer.unknown')
    const title = by === null ? t('desk.given.byRouter', { name }) : t('desk.given.byPerson', { name, by })
    const open = (): void =>
      void router.push({ name: 'inbox', params: { tab: 'open', conversation: item.conversation }, hash: '#reply' })
    sound('offer')
    if (document.hidden && leading()) notice(title, item.id, open)
    toast.add({
      id: `given:${item.id}`,
      title,
      icon: 'i-lucide-inbox',
      color: 'primary',
      duration: GIVEN_SHOWN_MS,
      actions: [{ label: t('desk.board.open'), color: 'neutral', variant: 'outline', onClick: open }],
    })
  })

  const stop = useLive().onEvent((event) => {
    if (event.entity === 'message' && event.view) heard(event.view as Message)
  })

  const overdue = computed(() => {
    const now = seconds.value
    return lists.grouped.open.filter((row) => row.since && waiting(row.since, now, row.targetS).urgency === 'late').map((row) => row.id)
  })
  watch(overdue, (now) => {
    const fresh = now.filter((id) => !late.has(id))
    fresh.forEach((id) => late.add(id))
    for (const id of late) if (!now.includes(id)) late.delete(id)
    if (fresh.length) sound('late')
  })

  watch(
    [() => offers.pending[0], () => lists.unread.length, () => overdue.value.length, () => t('desk.name')],
    ([offer, unread, over, name]) => {
      const person = offer?.customer.name || t('desk.customer.unknown')
      const start = offer ? `${t('desk.title.offer', { name: person })} – ` : over ? `${t('desk.title.late')} – ` : unread ? `(${unread}) ` : ''
      document.title = start + name
    },
    { immediate: true },
  )

  window.addEventListener('focus', claim)
  window.addEventListener('pointerdown', claim)
  onBeforeUnmount(() => {
    stop()
    window.removeEventListener('focus', claim)
    window.removeEventListener('pointerdown', claim)
  })
}

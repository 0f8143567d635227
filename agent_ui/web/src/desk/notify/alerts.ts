import { useAlertWords } from '@desk/board/alerts'
import { useSettings } from '@desk/session/settings'
import { useFigures } from '@desk/stream/figures'
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { play } from './sounds'

const SHOWN_MS = 8_000

/** Tells a supervisor of alerts that begin while another page than the board is open. */
export function useAlertNotices(): void {
  const { t } = useI18n()
  const toast = useToast()
  const router = useRouter()
  const settings = useSettings()
  const figures = useFigures()
  const words = useAlertWords()
  /** What goes on when the desk opens stands in the navigation; null: nothing was told yet. */
  let known: Set<string> | null = null

  watch(
    () => (figures.queues.size ? figures.alerts : null),
    (alerts) => {
      if (!alerts) return
      const fresh = known ? alerts.filter(({ id }) => !known?.has(id)) : []
      known = new Set(alerts.map(({ id }) => id))
      if (!fresh.length || router.currentRoute.value.name === 'board') return
      if (settings.sounds) play('late')
      for (const alert of fresh) {
        toast.add({
          id: `alert:${alert.id}`,
          title: t('desk.board.alertsNew', { queue: words.queue(alert), text: words.text(alert) }),
          icon: 'i-lucide-triangle-alert',
          color: 'error',
          duration: SHOWN_MS,
          actions: [{ label: t('desk.nav.board'), color: 'neutral', variant: 'outline', onClick: () => void router.push({ name: 'board', query: { queue: alert.queue } }) }],
        })
      }
    },
    { immediate: true },
  )
}

import { queueName } from '@desk/parts/names'
import { useSession } from '@desk/session/session'
import type { Alert } from '@desk/stream/figures'
import { useTime } from '@desk/time/useTime'
import { useI18n } from 'vue-i18n'
import { percent } from './figures'

/** What an alert says, in the reader's words. */
export function useAlertWords() {
  const { t, locale } = useI18n()
  const { length } = useTime()
  const session = useSession()
  const queue = (alert: Alert): string => queueName(session, alert.queue, locale.value)

  function text({ when, over, under }: Alert): string {
    const facts = { over: over ?? 0, time: length((over ?? 0) * 1000), level: percent(under ?? null) }
    return t(`desk.board.alert.${when}`, facts).trim()
  }
  return { queue, text }
}

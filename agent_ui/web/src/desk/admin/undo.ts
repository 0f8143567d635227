import { useActing } from '@desk/acts/acting'
import { call, Problem } from '@desk/acts/api'
import { useI18n } from 'vue-i18n'
import type { Fault } from './config'
import { faultText } from './faults'

/** Takes a version back; the new version's number, null where that is refused, which is told. */
export function useUndo() {
  const { t } = useI18n()
  const { tell } = useActing()

  return async function undo(number: number): Promise<number | null> {
    try {
      const reason = t('desk.admin.undo.reason', { number })
      return (await call<{ number: number }>('POST', `/config/versions/${number}/undo`, { body: { reason } })).number
    } catch (error) {
      tell('rollBack', worded(error))
      return null
    }
  }

  /** What has changed again since, by its place. */
  function worded(error: unknown): unknown {
    if (!(error instanceof Problem) || error.code !== 'invalid') return error
    const faults = (error.facts['faults'] as Fault[] | undefined) ?? []
    return new Problem(error.status, error.code, faults.map((each) => `${each.place}: ${faultText(each, t)}`).join(' '))
  }
}

import { useI18n } from 'vue-i18n'
import { Problem } from './api'
import type { Why } from './outbox'

/** Does an act; a refusal is told as a sentence, with what the hub said. */
export function useActing() {
  const toast = useToast()
  const { t, te } = useI18n()

  function reason({ code, message, facts }: Why): string {
    const key = `desk.refused.${code}`
    return te(key) ? t(key, { name: String(facts['agent_name'] ?? '') }) : message || code
  }

  function sentence(what: string, error: unknown): { title: string; description: string } {
    const problem = error instanceof Problem ? error : new Problem(500, 'failed', String(error))
    return { title: t(`desk.failed.${what}`), description: reason(problem) }
  }

  function tell(what: string, error: unknown): void {
    toast.add({ ...sentence(what, error), color: 'error', icon: 'i-lucide-circle-alert' })
  }

  /** True if it was done. */
  async function act(what: string, doing: () => Promise<unknown>): Promise<boolean> {
    try {
      await doing()
      return true
    } catch (error) {
      tell(what, error)
      return false
    }
  }

  return { act, tell, sentence, reason }
}

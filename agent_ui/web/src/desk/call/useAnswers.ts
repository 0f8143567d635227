import type { CallAnswer } from '@shared/call/model'
import { useI18n } from 'vue-i18n'
import { chosen } from './answers'

/** What callers have chosen, in one line of the reader's language. */
export function useAnswers() {
  const { t, te } = useI18n()
  const language = (code: string): string => (te(`desk.language.${code}`) ? t(`desk.language.${code}`) : '')
  return { words: (answers: readonly CallAnswer[]): string => chosen(answers, language).join(t('desk.between')) }
}

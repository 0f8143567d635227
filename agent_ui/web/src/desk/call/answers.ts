import type { CallAnswer } from '@shared/call/model'

/** What customers say of the call afterwards is no choice of a menu. */
export const isScore = ({ step, name }: CallAnswer): boolean => step === 'survey' && name === 'score'

/** What a caller has chosen, as words; `language` names a language by its code, empty: it has no name. */
export function chosen(answers: readonly CallAnswer[], language: (code: string) => string): string[] {
  return answers
    .filter((each) => !isScore(each))
    .map(({ name, value }) => (name === 'language' && language(value)) || value || name)
    .filter(Boolean)
}

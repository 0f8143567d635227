import { widget as en } from '@catalogue/en.json'
import { widget as ja } from '@catalogue/ja.json'
import { pickLocale, type Locale } from '@shared/locale'

export type Words = typeof ja

const catalogues: Record<Locale, Words> = { en, ja }

/** The words for the first language of the list that the widget speaks. */
export function wordsFor(wanted: readonly string[]): { locale: Locale; words: Words } {
  const locale = pickLocale(wanted)
  return { locale, words: catalogues[locale] }
}

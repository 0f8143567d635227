import { widget as en } from '@catalogue/en.json'
import { widget as ja } from '@catalogue/ja.json'
import type { Locale } from '@shared/locale'

export type Words = typeof ja

export const catalogues: Record<Locale, Words> = { en, ja }

/** A text with its {places} filled. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

import type { Locale } from '@shared/locale'
import catalogues from 'virtual:widget-words'

export { catalogues }
export type Words = (typeof catalogues)[Locale]

/** A text with its {places} filled. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

export const locales = ['ja', 'en'] as const
export type Locale = (typeof locales)[number]

/** The first wanted language (BCP 47) that has a catalogue; English where none has. */
export function pickLocale(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0]
    const found = locales.find((locale) => locale === language)
    if (found) return found
  }
  return 'en'
}

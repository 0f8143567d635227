import type ja from '@catalogue/ja.json'
import type { Locale } from '@shared/locale'
import { createI18n } from 'vue-i18n'

export type Messages = typeof ja

const catalogues: Record<Locale, () => Promise<{ default: Messages }>> = {
  en: () => import('@catalogue/en.json'),
  ja: () => import('@catalogue/ja.json'),
}

export async function createTranslations(locale: Locale) {
  const messages = (await catalogues[locale]()).default
  document.documentElement.lang = locale
  return createI18n({
    legacy: false,
    locale,
    messages: { [locale]: messages } as Record<Locale, Messages>,
    missingWarn: true,
  })
}

export type Translations = Awaited<ReturnType<typeof createTranslations>>

/** Changes the language of all pages at once; the catalogue is loaded when it is first wanted. */
export async function changeLanguage(translations: Translations, locale: Locale): Promise<void> {
  const { global } = translations
  if (!global.availableLocales.includes(locale)) {
    global.setLocaleMessage(locale, (await catalogues[locale]()).default)
  }
  global.locale.value = locale
  document.documentElement.lang = locale
}

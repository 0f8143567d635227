import { applyTheme } from '@shared/theme'
import { changeLanguage, type Translations } from '@desk/i18n'
import { watch } from 'vue'
import { useSession } from './session'
import { firstLanguage, useSettings } from './settings'
import type { Locale } from '@shared/locale'

/** Keeps theme and language of the pages as the person chose them. Call after pinia is there. */
export function followAppearance(translations: Translations): void {
  const settings = useSettings()
  const session = useSession()
  let stop = (): void => undefined
  watch(
    () => settings.theme,
    (theme) => {
      stop()
      stop = applyTheme(document.documentElement, theme)
    },
    { immediate: true },
  )
  watch(
    () => settings.language ?? (session.me?.language as Locale | undefined) ?? firstLanguage(),
    (language) => void changeLanguage(translations, language === 'ja' ? 'ja' : 'en'),
  )
}

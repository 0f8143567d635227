import { call, Problem } from '@desk/acts/api'
import { pickLocale, type Locale } from '@shared/locale'
import { defineStore } from 'pinia'
import { reactive, toRefs, watch } from 'vue'
import { firstPreferences, Keeper, preferencesOf, type Preferences } from './preferences'

interface Settings extends Preferences {
  sounds: boolean
  panelOpen: boolean
  listWidth: number
}

const KEY = 'madoguchi.settings'
const initial: Settings = {
  ...firstPreferences,
  sounds: true,
  panelOpen: true,
  listWidth: 320,
}

function load(): Settings {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>
    return { ...initial, ...saved }
  } catch {
    return { ...initial }
  }
}

/** The language of a page that nobody has chosen a language for. */
export function firstLanguage(settings = load()): Locale {
  return settings.language ?? pickLocale(navigator.languages)
}

/**
 * What one person set. What belongs to the machine (sounds, widths) is kept in this browser;
 * preferences are kept by the hub, come along to other machines, and reach open desks at once.
 */
export const useSettings = defineStore('settings', () => {
  const settings = reactive(load())
  const keeper = new Keeper(
    () => preferencesOf(settings),
    (body) => call('PUT', '/agents/me/preferences', { body }),
    (error) => error instanceof Problem && error.passing,
    (kept) => Object.assign(settings, structuredClone(kept)),
  )
  watch(
    settings,
    () => {
      localStorage.setItem(KEY, JSON.stringify(settings))
      keeper.changed()
    },
    { deep: true },
  )

  /** Takes what the hub keeps of the person who is signed in. */
  const take = (body: Readonly<Record<string, unknown>> | undefined): void => keeper.take(body)

  return { ...toRefs(settings), take, forget: () => keeper.forget() }
})

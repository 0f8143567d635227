import { pickLocale, type Locale } from '@shared/locale'
import type { Theme } from '@shared/theme'
import { defineStore } from 'pinia'
import { reactive, toRefs, watch } from 'vue'

interface Settings {
  /** Null: what the person's account says, else the browser. */
  language: Locale | null
  theme: Theme
  sounds: boolean
  letterKeys: boolean
  enterSends: boolean
  panelOpen: boolean
  listWidth: number
  folded: string[]
}

const KEY = 'madoguchi.settings'
const initial: Settings = {
  language: null,
  theme: 'system',
  sounds: true,
  letterKeys: true,
  enterSends: true,
  panelOpen: true,
  listWidth: 320,
  folded: [],
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

/** What one person set on this machine; kept in this browser. */
export const useSettings = defineStore('settings', () => {
  const settings = reactive(load())
  watch(settings, () => localStorage.setItem(KEY, JSON.stringify(settings)), { deep: true })
  return toRefs(settings)
})

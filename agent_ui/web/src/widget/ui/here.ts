import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Counter, Screen } from '../talk/counter'
import { useStore } from '../talk/store'
import type { State } from '../state/state'
import { there } from '../times'
import { catalogues, fill, type Words } from '../words'

/** For a control that takes the place of one that had the focus. */
export function focusIfLost(control: HTMLElement | null): void {
  if (control && !(control.getRootNode() as ShadowRoot).activeElement) control.focus()
}

export const Here = createContext<Counter | null>(null)

interface Place {
  counter: Counter
  screen: Screen
  talk: State
  words: Words
}

/** Where a component is: the counter behind it, what is shown, and the words. */
export function useHere(): Place {
  const counter = useContext(Here)
  if (!counter) throw new Error('outside the widget')
  const screen = useStore(counter.screen)
  const talk = useStore(counter.session.store)
  return { counter, screen, talk, words: catalogues[screen.locale] }
}

/** The site's name for the visitor; one that has no English name keeps its own language. */
export function site({ about, locale }: Screen): { text: string; lang: string } {
  const english = locale === 'en' && about && about.name_en !== about.name
  if (english) return { text: about.name_en, lang: locale }
  return { text: about?.name ?? '', lang: about?.language ?? locale }
}

const LONG_MIN = 60

/** How long a wait is expected to be, in words. */
export const expected = (minutes: number, words: Words): string =>
  minutes > LONG_MIN ? words.waitLong : fill(words.wait, { minutes })

/** When the site opens next, in words; none where it is open or nobody knows. */
export function opening({ about, locale }: Screen, words: Words): string {
  if (about?.open !== false || !about.opens) return ''
  return fill(words.opens, { time: there(about.opens, about.time_zone, locale) })
}

/** The name of the chosen topic, else of the site, with its language. */
export function subject(screen: Screen): { text: string; lang: string } {
  const { about, topic, locale } = screen
  const chosen = about?.topics.find((one) => one.key === topic)
  if (!chosen) return site(screen)
  return { text: locale === 'ja' ? chosen.name : chosen.name_en, lang: locale }
}

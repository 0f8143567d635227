import type { Fault } from '@shared/call/devices'
import type { Locale } from '@shared/locale'
import catalogues from 'virtual:call-words'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { useStore } from '../talk/store'
import { Calling, type CallScreen } from './calling'
import type { Checked } from './check'

export type Words = (typeof catalogues)[Locale]

/** A text with its {places} filled. */
export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))

/** A running time as a clock shows it: 4:37, from one hour on 1:42:08. */
export function timer(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  const pad = (value: number): string => String(value).padStart(2, '0')
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`
}

export const faultText = (words: Words, device: 'microphone' | 'camera' | 'screen' | 'speaker', fault: Fault): string =>
  fill(words[fault], { device: device === 'screen' ? words.screenOn : words[device] })

export const Here = createContext<Calling | null>(null)

interface Place {
  calling: Calling
  words: Words
  screen: CallScreen
  check: Checked | null
  talk: Calling['counter']['session']['store']['value']
  site: Calling['counter']['screen']['value']
}

/** Where a component is: the calls behind it, what is shown, and the words. */
export function useHere(): Place {
  const calling = useContext(Here)
  if (!calling) throw new Error('outside the widget')
  const site = useStore(calling.counter.screen)
  const screen = useStore(calling.store)
  const check = useStore(calling.check.store)
  const talk = useStore(calling.counter.session.store)
  return { calling, words: catalogues[site.locale], screen, check, talk, site }
}

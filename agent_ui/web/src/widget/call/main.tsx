import { Devices } from '@shared/call/devices'
import { playMusic } from '@shared/call/music'
import { connector } from '@shared/call/peer'
import { Speakers } from '@shared/call/sound'
import tokens from '@shared/tokens.css?inline'
import { render, type ComponentChild } from 'preact'
import type { Counter } from '../talk/counter'
import styles from './call.css?inline'
import { Calling } from './calling'
import { CallPane, CallPill } from './CallPane'
import { Offer } from './Offer'
import { Here } from './words'

export type StartCalls = (counter: Counter, root: ShadowRoot) => void

/** The places in the widget's pages that calls fill, by where they stand. */
const places: [within: string, what: ComponentChild][] = [
  ['.panel > .slot', <CallPane />],
  ['.cards > .slot', <Offer slim={false} />],
]

/** Makes calls possible in a widget that is on a page. */
export const start: StartCalls = (counter, root) => {
  root.adoptedStyleSheets.push(sheet(tokens), sheet(styles))
  const calling = new Calling(counter, ports(counter))
  const shown = new Map<string, Element>()
  const within = (what: ComponentChild): ComponentChild => <Here.Provider value={calling}>{what}</Here.Provider>
  const fillPlaces = (): void => {
    for (const [where, what] of places) {
      const [place, before] = [root.querySelector(where), shown.get(where)]
      if (place === (before ?? null)) continue
      if (before) render(null, before)
      shown.delete(where)
      if (!place) continue
      shown.set(where, place)
      render(within(what), place)
    }
  }
  const pill = document.createElement('div')
  root.append(pill)
  counter.screen.watch(({ locale }) => (pill.lang = locale))
  pill.lang = counter.screen.value.locale
  render(within(<CallPill />), pill)
  new MutationObserver(fillPlaces).observe(root, { childList: true, subtree: true })
  fillPlaces()
}

function ports(counter: Counter) {
  const devices = new Devices(navigator.mediaDevices ?? null, kept(() => localStorage))
  const speakers = new Speakers(() => devices.chosen('speaker'))
  const connect = connector(() => counter.screen.value.about?.ice ?? [])
  return { devices, speakers, connect, music: () => playMusic(), kept: kept(() => sessionStorage) }
}

/** A storage of this page; where the browser keeps nothing, the page does. */
function kept(storage: () => Storage): Storage {
  try {
    return storage()
  } catch {
    const memory = new Map<string, string>()
    return {
      getItem: (key: string) => memory.get(key) ?? null,
      setItem: (key: string, value: string) => void memory.set(key, value),
      removeItem: (key: string) => void memory.delete(key),
    } as Storage
  }
}

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet()
  made.replaceSync(css)
  return made
}

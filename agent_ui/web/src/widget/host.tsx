import tokens from '@shared/tokens.css?inline'
import { render } from 'preact'
import { App } from './App'
import { connect } from './connection'
import styles from './widget.css?inline'
import { wordsFor } from './words'

export interface Host {
  element: HTMLElement
  unmount: () => void
}

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet()
  made.replaceSync(css)
  return made
}

/**
 * Puts the widget into a page, in a shadow root whose styles are adopted style sheets, so that the
 * page's content security policy needs no exception. `languages` in order of preference.
 */
export function mount(page: Document, origin: string, languages: readonly string[]): Host {
  const { locale, words } = wordsFor(languages)
  const element = page.createElement('div')
  element.id = 'madoguchi'
  element.lang = locale
  const root = element.attachShadow({ mode: 'open' })
  root.adoptedStyleSheets = [sheet(tokens), sheet(styles)]
  page.body.append(element)
  render(<App connect={connect} origin={origin} words={words} />, root)
  return {
    element,
    unmount: () => {
      render(null, root)
      element.remove()
    },
  }
}

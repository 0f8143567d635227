import tokens from '@shared/tokens.css?inline'
import { render } from 'preact'
import { brandSheet } from './colour'
import { followPage } from './page'
import base from './styles/base.css?inline'
import bubble from './styles/bubble.css?inline'
import composer from './styles/composer.css?inline'
import form from './styles/form.css?inline'
import head from './styles/head.css?inline'
import home from './styles/home.css?inline'
import panel from './styles/panel.css?inline'
import talk from './styles/talk.css?inline'
import { Counter } from './talk/counter'
import { Kept } from './talk/kept'
import { rest } from './talk/rest'
import { connectTo } from './talk/wire'
import type { StartCalls } from './call/main'
import { App } from './ui/App'

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet()
  made.replaceSync(css)
  return made
}

/** The part that makes calls is loaded when it is first of use; a page that cannot load it goes without. */
const startCalls = (origin: string, counter: Counter, root: ShadowRoot): Promise<void> =>
  import(/* @vite-ignore */ `${origin}/widget-call.js`).then(
    (part: { start: StartCalls }) => part.start(counter, root),
    (wrong: unknown) => console.warn('Madoguchi:', wrong),
  )

/**
 * Puts the widget into a page, in a shadow root whose styles are adopted style sheets, so that the
 * page's content security policy needs no exception. `language`: the site's wish, before the page's.
 */
export function mount(page: Document, origin: string, account: string, language?: string): Counter {
  const view = page.defaultView ?? window
  const languages = (): string[] =>
    [language ?? '', page.documentElement.lang, ...view.navigator.languages].filter(Boolean)
  const counter = new Counter(
    {
      account,
      rest: rest(`${origin}/api/v1/widget/${encodeURIComponent(account)}`),
      connect: connectTo(origin),
      kept: new Kept(account, () => view.localStorage),
      page: () => ({ url: view.location.href, title: page.title }),
    },
    languages(),
  )
  const element = page.createElement('div')
  element.id = 'madoguchi'
  const root = element.attachShadow({ mode: 'open' })
  const brand = sheet(brandSheet(counter.kept.get('color')))
  const styles = [tokens, base, panel, home, form, head, talk, bubble, composer]
  root.adoptedStyleSheets = styles.map(sheet).concat(brand)
  let calls: Promise<void> | null = null
  const seek = (): void => {
    const { about, open } = counter.screen.value
    const offered = open && (about?.calls ?? 'none') !== 'none'
    if (offered || counter.session.store.value.call) calls ??= startCalls(origin, counter, root)
  }
  const follow = (): void => {
    seek()
    const { about, fault } = counter.screen.value
    element.hidden = fault === 'refused'
    if (about) brand.replaceSync(brandSheet(about.color))
  }
  counter.screen.watch(follow)
  counter.session.store.watch(seek)
  follow()
  followPage(page, (scheme) => {
    counter.follows(languages())
    element.dataset['theme'] = scheme
  })
  view.addEventListener('storage', ({ key }) => {
    const own = counter.kept.own(key)
    if (own) counter.follow(own)
  })
  page.body.append(element)
  render(<App counter={counter} />, root)
  void counter.start()
  return counter
}

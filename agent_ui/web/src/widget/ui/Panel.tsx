import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { Chat } from './Chat'
import { Form } from './Form'
import { Home } from './Home'
import { useHere } from './here'

/** Whether the site is open, and whether anybody is there, may change while one looks. */
const LEARN_MS = 30_000
const FULL = '(max-width: 480px), (max-height: 480px)'
const FOCUSABLE = 'button, [href], input:not([hidden]), select, textarea, [tabindex="0"]'

/** Keeps Tab inside, as only a panel over the whole page may. */
function trap(event: KeyboardEvent, panel: HTMLElement): void {
  const stops = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (one) => !one.matches(':disabled'),
  )
  const now = (panel.getRootNode() as ShadowRoot).activeElement
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]]
  if (now !== from && now !== panel) return
  event.preventDefault()
  to?.focus()
}

/** On phones the keyboard covers a part of the page: the panel takes what is left. */
function useVisibleHeight(panel: { current: HTMLElement | null }): void {
  useEffect(() => {
    const seen = window.visualViewport
    const fit = (): void => {
      if (!seen || !panel.current) return
      panel.current.style.setProperty('--seen', `${seen.height}px`)
      panel.current.style.setProperty('--above', `${seen.offsetTop}px`)
    }
    fit()
    seen?.addEventListener('resize', fit)
    seen?.addEventListener('scroll', fit)
    return () => {
      seen?.removeEventListener('resize', fit)
      seen?.removeEventListener('scroll', fit)
    }
  }, [panel])
}

export function Panel() {
  const { counter, screen, words } = useHere()
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    const again = setInterval(() => void counter.learn(), LEARN_MS)
    return () => clearInterval(again)
  }, [counter])
  const full = window.matchMedia(FULL).matches
  useVisibleHeight(panel)
  useLayoutEffect(() => {
    const first = full ? null : panel.current?.querySelector<HTMLElement>('[data-first]')
    ;(first ?? panel.current)?.focus()
  }, [screen.view, screen.again])
  const keys = (event: KeyboardEvent): void => {
    if (event.isComposing || event.keyCode === 229) return
    event.stopPropagation()
    if (event.key === 'Escape' && !event.defaultPrevented) counter.close()
    if (event.key === 'Tab' && full && panel.current) trap(event, panel.current)
  }
  const views = { home: Home, chat: Chat, form: Form }
  const View = views[screen.view]
  return (
    <section
      ref={panel}
      class="panel"
      role="dialog"
      tabIndex={-1}
      aria-modal={full}
      aria-label={words.title}
      onKeyDown={keys}
    >
      <div class="slot" />
      <View />
    </section>
  )
}

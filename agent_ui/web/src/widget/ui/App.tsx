import { useEffect, useRef } from 'preact/hooks'
import type { Counter } from '../talk/counter'
import { useStore } from '../talk/store'
import { fill } from '../words'
import { Here, useHere } from './here'
import { Icon } from './Icon'
import { Panel } from './Panel'

function Launcher() {
  const { counter, screen, words } = useHere()
  const button = useRef<HTMLButtonElement>(null)
  const wasOpen = useRef(false)
  useEffect(() => {
    if (wasOpen.current && !screen.open) button.current?.focus()
    wasOpen.current = screen.open
  }, [screen.open])
  const n = screen.open ? 0 : counter.reading.unread()
  const label = screen.open ? words.close : n ? fill(words.openUnread, { n }) : words.open
  return (
    <button
      ref={button}
      class={screen.open ? 'launcher up' : 'launcher'}
      type="button"
      aria-expanded={screen.open}
      aria-label={label}
      onClick={() => (screen.open ? counter.close() : counter.open())}
    >
      <Icon name={screen.open ? 'x' : 'message-square'} />
      {n > 0 && <span class="badge">{n > 99 ? '99+' : n}</span>}
    </button>
  )
}

export function App({ counter }: { counter: Counter }) {
  const { open, locale } = useStore(counter.screen)
  return (
    <Here.Provider value={counter}>
      <div class="all" lang={locale}>
        {open && <Panel />}
        <Launcher />
      </div>
    </Here.Provider>
  )
}

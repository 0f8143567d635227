import { useState } from 'preact/hooks'
import type { Locale } from '@shared/locale'
import { over } from '../state/state'
import { subject, useHere } from './here'
import { Icon } from './Icon'

export function Head({ onLeave }: { onLeave: () => void }) {
  const { counter, screen, talk, words } = useHere()
  const { conversation } = talk
  const about = subject(screen)
  const ended = over(talk) && !screen.again
  const agent = ended ? '' : (conversation?.agent ?? '')
  const title = ended
    ? words.finished
    : agent || (conversation && !over(talk) ? words.connecting : words.chat)
  return (
    <div class="head">
      <button
        class="tool"
        type="button"
        aria-label={words.back}
        onClick={() => counter.home()}
      >
        <Icon name="chevron-left" />
      </button>
      {agent && (
        <span class="face" aria-hidden="true">
          {[...agent][0]}
        </span>
      )}
      <div class="grow">
        <h2>{title}</h2>
        <p lang={about.lang}>{about.text}</p>
      </div>
      {conversation && !over(talk) && <Menu onLeave={onLeave} />}
      <button class="tool" type="button" aria-label={words.close} onClick={() => counter.close()}>
        <Icon name="x" />
      </button>
    </div>
  )
}

function Menu({ onLeave }: { onLeave: () => void }) {
  const { counter, screen, talk, words } = useHere()
  const [open, setOpen] = useState(false)
  const other: Locale = screen.locale === 'ja' ? 'en' : 'ja'
  const act = (what: () => void) => (): void => {
    setOpen(false)
    what()
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return
    event.preventDefault()
    setOpen(false)
  }
  const left = (event: FocusEvent): void => {
    if (!(event.currentTarget as Node).contains(event.relatedTarget as Node | null)) setOpen(false)
  }
  return (
    <div class="menu" onKeyDown={keys} onFocusOut={left}>
      <button
        class="tool"
        type="button"
        aria-label={words.menu}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="ellipsis" />
      </button>
      {open && (
        <div class="choices">
          <button type="button" lang={other} onClick={act(() => counter.speak(other))}>
            {other === 'ja' ? '日本語で表示する' : 'Show in English'}
          </button>
          {talk.conversation?.callback?.state !== 'asked' && (
            <button type="button" disabled={talk.link !== 'live'} onClick={act(onLeave)}>
              {words.end}
            </button>
          )}
        </div>
      )}
    </div>
  )
}

import { useEffect, useState } from 'preact/hooks'
import type { Connect, LinkState } from './connection'
import { Icon } from './Icon'
import type { Words } from './words'

export interface AppProps {
  connect: Connect
  origin: string
  words: Words
}

function Panel({ connect, origin, words }: AppProps) {
  const [state, setState] = useState<LinkState>('connecting')
  useEffect(() => {
    const link = connect(origin, setState)
    return () => {
      link.close()
    }
  }, [connect, origin])
  return (
    <section class="panel" role="dialog" aria-label={words.title}>
      <header class="head">{words.title}</header>
      <p class="body" role="status">
        {words[state]}
      </p>
    </section>
  )
}

export function App({ connect, origin, words }: AppProps) {
  const [open, setOpen] = useState(false)
  return (
    <>
      {open && <Panel connect={connect} origin={origin} words={words} />}
      <button
        class="launcher"
        type="button"
        aria-expanded={open}
        aria-label={open ? words.close : words.open}
        onClick={() => setOpen(!open)}
      >
        <Icon name={open ? 'x' : 'message-square'} />
      </button>
    </>
  )
}

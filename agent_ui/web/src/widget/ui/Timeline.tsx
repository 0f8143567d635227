import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { over } from '../state/state'
import { timeline, type Entry } from '../state/timeline'
import { clock, day } from '../times'
import { fill } from '../words'
import { Bubble } from './Bubble'
import { CallBack } from './CallBack'
import { useHere } from './here'
import { Waiting } from './Waiting'

const NEAR_PX = 48

export function Timeline() {
  const { counter, screen, talk, words } = useHere()
  const box = useRef<HTMLDivElement>(null)
  const pinned = useRef(true)
  const [behind, setBehind] = useState(false)
  const entries = timeline(talk)
  const fresh = !talk.conversation || (over(talk) && screen.again)
  const call = talk.conversation?.callback
  const last = entries.at(-1)
  const toEnd = (): void => {
    box.current?.scrollTo(0, box.current.scrollHeight)
  }
  const look = (): void => {
    if (pinned.current && document.visibilityState === 'visible') counter.reading.look()
  }
  const scrolled = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!
    pinned.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
    if (pinned.current) setBehind(false)
    look()
  }
  useLayoutEffect(() => {
    if (last?.kind === 'said' && last.outgoing) pinned.current = true
    if (pinned.current) toEnd()
    else setBehind(true)
    look()
  }, [last?.key, entries.length])
  useLayoutEffect(() => {
    if (pinned.current) toEnd()
  }, [talk, fresh])
  useEffect(() => {
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [])
  return (
    <div class="scroll">
      <div
        ref={box}
        class="log"
        role="log"
        aria-live="polite"
        aria-label={words.messages}
        tabIndex={0}
        onScroll={scrolled}
      >
        {entries.map((entry) => (
          <Row key={entry.key} entry={entry} />
        ))}
        {fresh && talk.conversation?.state === 'closed' && <p class="system">{words.finished}</p>}
        {fresh && !talk.outbox.length && <p class="ask">{words.ask}</p>}
        {talk.conversation?.state === 'waiting' && !over(talk) && !call?.next_at && <Waiting />}
        {call && !over(talk) && <CallBack key={`${call.state}${call.shown}`} call={call} />}
        {talk.typing !== null && <Typing name={talk.typing || words.agent} />}
      </div>
      {behind && (
        <button class="newest" type="button" onClick={toEnd}>
          {words.newest}
        </button>
      )}
    </div>
  )
}

function Row({ entry }: { entry: Entry }) {
  const { screen, words } = useHere()
  if (entry.kind === 'said') return <Bubble said={entry} />
  if (entry.kind === 'day') return <p class="day">{day(entry.at, screen.locale, words)}</p>
  return (
    <p class="system">
      <time dateTime={entry.at}>{clock(entry.at)}</time> {fill(words[entry.code], { name: entry.name })}
    </p>
  )
}

function Typing({ name }: { name: string }) {
  const { words } = useHere()
  return (
    <p class="typing">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {fill(words.typing, { name })}
    </p>
  )
}

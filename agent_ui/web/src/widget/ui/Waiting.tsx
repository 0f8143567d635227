import { useRef } from 'preact/hooks'
import { expected, opening, useHere } from './here'

/** The visitor's place in line, in large figures. */
export function Waiting() {
  const { counter, screen, talk, words } = useHere()
  const first = useRef(0)
  const topic = screen.about?.topics.find(({ key }) => key === screen.topic)
  const closed = (topic ?? screen.about)?.open === false
  const away = screen.about?.online === false
  const { position, nobody, wait_min: minutes } = talk.place ?? { position: null, nobody: away, wait_min: null }
  if (closed || nobody) {
    const opens = topic ? '' : opening(screen, words)
    return (
      <div class="card wait">
        <b>{closed ? words.closed : words.nobody}</b>
        {closed && opens && <p>{opens}</p>}
        <p>{closed ? words.outsideHint : words.nobodyHint}</p>
        <button class="wide" type="button" onClick={() => counter.show({ view: 'form' })}>
          {words.leaveAddress}
        </button>
      </div>
    )
  }
  first.current = Math.max(first.current, position ?? 0)
  return (
    <div class="card wait">
      <p class="place">
        {position !== null && <span class="figure">{position}</span>}
        <span>
          <b>{position === null ? words.placeSoon : words.place}</b>
          {position !== null && !!minutes && (
            <span class="expected">{expected(minutes, words)}</span>
          )}
        </span>
      </p>
      {position !== null && (
        <progress max={first.current + 1} value={first.current + 1 - position} aria-hidden="true" />
      )}
      <p>{words.placeHint}</p>
    </div>
  )
}

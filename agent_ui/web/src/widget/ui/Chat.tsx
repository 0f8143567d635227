import { size } from '@shared/size'
import { useState } from 'preact/hooks'
import { over } from '../state/state'
import { choose, mostFiles, type Chosen } from '../talk/uploads'
import { fill } from '../words'
import { Composer } from './Composer'
import { Head } from './Head'
import { focusIfLost, useHere } from './here'
import { Icon } from './Icon'
import { Timeline } from './Timeline'

export function Chat() {
  const { counter, screen, talk, words } = useHere()
  const [chosen, setChosen] = useState<Chosen[]>([])
  const [refused, setRefused] = useState<string[]>([])
  const [dragging, setDragging] = useState(false)
  const [leaving, setLeaving] = useState(false)
  const add = (files: Iterable<File>): void => {
    const limit = screen.about?.upload_limit ?? Infinity
    const [good, bad] = choose(files, limit)
    const told = bad.map(({ name, fault }) =>
      fill(words[fault === 'too_large' ? 'tooLarge' : 'emptyFile'], { name, limit: size(limit) }),
    )
    const all = [...chosen, ...good]
    if (all.length > mostFiles) told.push(fill(words.tooMany, { n: mostFiles }))
    setChosen(all.slice(0, mostFiles))
    setRefused(told)
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setDragging(false)
    add(event.dataTransfer?.files ?? [])
  }
  const drag = (event: DragEvent): void => {
    if (ended || !event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    setDragging(true)
  }
  const ended = over(talk) && !screen.again && !talk.outbox.length
  return (
    <div
      class="chat"
      onDragOver={drag}
      onDragLeave={(event) => event.currentTarget === event.target && setDragging(false)}
      onDrop={drop}
    >
      <Head onLeave={() => setLeaving(true)} />
      <Strip />
      <Timeline />
      {leaving ? (
        <Leave done={() => setLeaving(false)} />
      ) : ended ? (
        <Ended />
      ) : (
        <Composer
          chosen={chosen}
          refused={refused}
          add={add}
          remove={(key) => setChosen(chosen.filter((one) => one.key !== key))}
          send={(text) => {
            counter.send(text, chosen)
            setChosen([])
            setRefused([])
          }}
        />
      )}
      {dragging && <div class="dropping">{words.drop}</div>}
    </div>
  )
}

function Strip() {
  const { talk, words } = useHere()
  const text = talk.link === 'lost' ? words.lost : talk.crowded ? words.crowded : null
  return (
    <div role="status">
      {text && (
        <p class="strip">
          <Icon name={talk.link === 'lost' ? 'wifi-off' : 'clock'} />
          {text}
        </p>
      )}
    </div>
  )
}

function Ended() {
  const { counter, words } = useHere()
  return (
    <div class="foot">
      <p>{words.closedHint}</p>
      <button
        ref={focusIfLost}
        class="wide primary"
        type="button"
        data-first
        onClick={() => counter.begin(null)}
      >
        {words.restart}
      </button>
    </div>
  )
}

function Leave({ done }: { done: () => void }) {
  const { counter, words } = useHere()
  const leave = (): void => {
    void counter.session.ask('leave', {})
    counter.show({ again: false })
    done()
  }
  return (
    <div class="foot" role="group" aria-label={words.endAsk}>
      <p>{words.endAsk}</p>
      <div class="pair">
        <button class="wide" type="button" onClick={done}>
          {words.endKeep}
        </button>
        <button class="wide primary" type="button" ref={(it) => it?.focus()} onClick={leave}>
          {words.endConfirm}
        </button>
      </div>
    </div>
  )
}

import type { CallSeen } from '@shared/call/model'
import { CheckPane } from './CheckPane'
import { Offer } from './Offer'
import { Icon } from './parts'
import { heading, Length, Talk } from './Talk'
import { useHere, type Words } from './words'
import { alone, own } from './calling'

/** The place above the talk: what there is of a call. */
export function CallPane() {
  const { words, screen, check, site } = useHere()
  const { call, starting, refused } = screen
  if (check) return <CheckPane check={check} />
  if (call) return call.state === 'ended' ? <Ended call={call} /> : <Talk call={call} />
  if (starting) {
    return (
      <div class="call-strip" role="status">
        <Icon name="phone" />
        {words.starting}
      </div>
    )
  }
  if (refused) return <Refused />
  return site.view === 'chat' ? <Offer slim /> : null
}

function ending(call: CallSeen, words: Words): [title: string, hint: string] {
  if (call.why === 'busy') return [words.busyLine, '']
  if (call.why === 'closed') return [words.closed, '']
  if (call.why === 'lost' || call.why === 'failed') return [words.lost, words.lostHint]
  return call.answered_at ? [words.ended, words.endedHint] : [words.abandoned, '']
}

function Ended({ call }: { call: CallSeen }) {
  const { calling, words } = useHere()
  const [title, hint] = ending(call, words)
  return (
    <div class="call-strip" role="status">
      <Icon name="phone-off" />
      <span class="grow">
        <b>{title}</b>
        {hint && <span class="hint">{hint}</span>}
      </span>
      <button class="tool" type="button" aria-label={words.close} onClick={() => calling.forget()}>
        <Icon name="x" />
      </button>
    </div>
  )
}

function Refused() {
  const { calling, words } = useHere()
  return (
    <div class="call-strip bad" role="alert">
      <Icon name="circle-alert" />
      <span class="grow">{words.startFailed}</span>
      <button class="tool" type="button" aria-label={words.close} onClick={() => calling.forget()}>
        <Icon name="x" />
      </button>
    </div>
  )
}

/** A call while the panel is closed. */
export function CallPill() {
  const { calling, words, screen, talk, site } = useHere()
  const { call, media, here } = screen
  if (site.open || !call || call.state === 'ended' || !here) return null
  const me = own(call)
  const lost = call.state === 'talking' && alone(call, media)
  const open = (): void => {
    calling.counter.open()
    calling.counter.show({ view: 'chat' })
  }
  return (
    <section class="call-pill" aria-label={words.region}>
      <button class="opens-call" type="button" title={words.open} onClick={open}>
        <Icon name={me?.held ? 'pause' : 'phone'} />
        <span role="status">{heading(call, lost || talk.link === 'lost', words)[0]}</span>
        {call.answered_at && <Length from={call.answered_at} />}
      </button>
      <button class="tool" type="button" aria-pressed={!!me?.muted} aria-label={me?.muted ? words.unmute : words.mute} onClick={() => void calling.mute(!me?.muted)}>
        <Icon name={me?.muted ? 'mic-off' : 'mic'} />
      </button>
      <button class="tool end" type="button" aria-label={words.hangUp} onClick={() => void calling.hangUp()}>
        <Icon name="phone-off" />
      </button>
    </section>
  )
}

import { CheckPane } from './CheckPane'
import { Ended } from './Ended'
import { Offer } from './Offer'
import { Icon } from './parts'
import { heading, Length, Talk } from './Talk'
import { useHere } from './words'
import { alone, own } from './calling'

/** The place above the talk: what there is of a call. */
export function CallPane() {
  const { words, screen, check, site } = useHere()
  const { call, starting, refused } = screen
  if (check) return <CheckPane check={check} />
  if (call && call.state !== 'ended') return <Talk call={call} />
  if (call) return site.view === 'home' ? null : <Ended call={call} />
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

import { over } from '../state/state'
import { Icon } from './parts'
import { useHere } from './words'

/** The buttons that begin a call: where the site takes calls, is open, and none is going on. */
export function Offer({ slim }: { slim: boolean }) {
  const { calling, words, screen, check, talk, site } = useHere()
  const { about } = site
  const kind = about?.calls ?? 'none'
  const going = screen.call || screen.starting || check
  if (kind === 'none' || !about?.online || about.open === false || going) return null
  if (slim && (!talk.conversation || over(talk))) return null
  const begin = (channel: 'voice' | 'video') => (): void => {
    calling.counter.show({ view: 'chat' })
    void calling.check.open(channel)
  }
  const buttons = (
    <div class="offers">
      <button class={slim ? 'small-act' : 'wide'} type="button" onClick={begin('voice')}>
        <Icon name="phone" />
        {words.call}
      </button>
      {kind === 'video' && (
        <button class={slim ? 'small-act' : 'wide'} type="button" onClick={begin('video')}>
          <Icon name="video" />
          {words.video}
        </button>
      )}
    </div>
  )
  if (slim) return <div class="call-strip">{buttons}</div>
  return (
    <div class="card">
      <h3 class="call-title">{words.offer}</h3>
      <p class="small">{words.offerHint}</p>
      {buttons}
    </div>
  )
}

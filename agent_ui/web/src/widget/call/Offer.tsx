import { over } from '../state/state'
import { Ended } from './Ended'
import { Icon } from './parts'
import { useHere } from './words'

/** The buttons that begin a call: where the site takes calls, is open, and none is going on. On the first page
 * the last call's end stands in their place until it is read.
 */
export function Offer({ slim }: { slim: boolean }) {
  const { calling, words, screen, check, talk, site } = useHere()
  const { about } = site
  const kind = about?.calls ?? 'none'
  if (!slim && site.view === 'home' && screen.call?.state === 'ended') {
    return (
      <div class="card over">
        <Ended call={screen.call} />
      </div>
    )
  }
  const going = screen.call || screen.starting || check
  if (kind === 'none' || !about?.online || about.open === false || going) return null
  if (slim && (!talk.conversation || over(talk))) return null
  const begin = (channel: 'voice' | 'video') => (): void => {
    calling.counter.show({ view: 'chat' })
    void calling.check.open(channel)
  }
  const ways = [
    { channel: 'voice', icon: 'phone', word: words.call, hint: words.offerHint },
    ...(kind === 'video' ? [{ channel: 'video', icon: 'video', word: words.video, hint: words.videoHint } as const] : []),
  ] as const
  if (slim) {
    return (
      <div class="call-strip">
        <div class="offers">
          {ways.map(({ channel, icon, word }) => (
            <button key={channel} class="small-act" type="button" onClick={begin(channel)}>
              <Icon name={icon} />
              {word}
            </button>
          ))}
        </div>
      </div>
    )
  }
  return (
    <div class="card ways">
      {ways.map(({ channel, icon, word, hint }) => (
        <button key={channel} class="way" type="button" aria-label={word} onClick={begin(channel)}>
          <span class={`tile ${channel}`}>
            <Icon name={icon} />
          </span>
          <span class="grow">
            <b>{word}</b>
            <span class="small">{hint}</span>
          </span>
          <Icon name="chevron-right" />
        </button>
      ))}
    </div>
  )
}

import { locales, type Locale } from '@shared/locale'
import { over, unfinished } from '../state/state'
import { timeline } from '../state/timeline'
import { expected, opening, site, useHere } from './here'
import { Icon } from './Icon'

const names: Record<Locale, string> = { ja: '日本語', en: 'English' }

export function Home() {
  const { counter, screen, words } = useHere()
  const { about, locale } = screen
  const name = site(screen)
  const greeting = locale === 'ja' ? about?.greeting : about?.greeting_en
  const lines = (greeting || words.greeting).replace(/(。|[.!?]\s)\s*(?=\S)/g, '$1\n')
  return (
    <div class="home">
      <div class="hero">
        <div class="bar">
          <span class="grow" lang={name.lang}>
            {name.text}
          </span>
          <button class="tool" type="button" aria-label={words.close} onClick={() => counter.close()}>
            <Icon name="x" />
          </button>
        </div>
        <h2>{lines}</h2>
      </div>
      <div class="cards">
        <Availability />
        <div class="slot" />
        <Topics />
        <Matter />
      </div>
      <label class="language">
        <span class="unseen">{words.language}</span>
        <select
          value={locale}
          onChange={(event) => counter.speak(event.currentTarget.value as Locale)}
        >
          {locales.map((one) => (
            <option key={one} value={one} lang={one}>
              {names[one]}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

function Availability() {
  const { counter, screen, talk, words } = useHere()
  const { about, fault } = screen
  if (!about) {
    return (
      <div class="card" role="status">
        <p class="state">{fault ? words.unreachable : words.loading}</p>
        {fault && (
          <button class="wide" type="button" data-first onClick={() => void counter.learn()}>
            {words.tryAgain}
          </button>
        )}
      </div>
    )
  }
  const going = unfinished(talk)
  const closed = about.open === false
  const here = about.online && !closed
  const minutes = here && !going ? about.wait_min : null
  const more = minutes === null ? opening(screen, words) : minutes ? expected(minutes, words) : words.atOnce
  const act = (): void => {
    if (going) counter.show({ view: 'chat' })
    else if (here) counter.begin(null)
    else counter.show({ view: 'form' })
  }
  const label = going ? words.resume : here ? words.start : words.leave
  return (
    <div class="card">
      <p class={here ? 'state on' : 'state'} role="status">
        <i class="dot" />
        <span>
          {here ? words.online : closed ? words.closed : words.offline}
          {more && <span class="opens">{more}</span>}
        </span>
      </p>
      <button class="wide primary" type="button" data-first onClick={act}>
        <Icon name={going || here ? 'message-square' : 'mail'} />
        {label}
      </button>
    </div>
  )
}

function Topics() {
  const { counter, screen, talk, words } = useHere()
  const { about, locale } = screen
  const open = about?.open !== false || about.topics.some((topic) => topic.open)
  if (!about?.online || !open || !about.topics.length || unfinished(talk)) return null
  return (
    <div class="card list">
      <h3>{words.topics}</h3>
      {about.topics.map((topic) => (
        <button key={topic.key} class="row" type="button" onClick={() => counter.begin(topic.key)}>
          <span class="grow">{locale === 'ja' ? topic.name : topic.name_en}</span>
          {' '}
          {topic.open === false && <span class="tag">{words.closedTag}</span>}
          <Icon name="chevron-right" />
        </button>
      ))}
    </div>
  )
}

/** The last talk, or the one that is going on. */
function Matter() {
  const { counter, talk, words } = useHere()
  const first = timeline(talk).find((entry) => entry.kind === 'said' && entry.mine)
  if (!talk.conversation || first?.kind !== 'said') return null
  const ended = over(talk)
  const texts = first.parts.map((part) =>
    part.type === 'text' ? part.text : part.type === 'file' ? part.name : '',
  )
  const going = talk.conversation.state === 'waiting' ? words.waiting : words.talking
  return (
    <button
      class="card matter"
      type="button"
      onClick={() => counter.show({ view: 'chat', again: false })}
    >
      <span class="small">{ended ? words.earlier : words.current}</span>
      <span class="line">
        <b class="grow">{texts.join(' ')}</b>
        <span class={ended ? 'tag' : 'tag going'}>{ended ? words.ended : going}</span>
      </span>
    </button>
  )
}

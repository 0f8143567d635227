import type { CallSeen } from '@shared/call/model'
import { alone, own } from './calling'
import { Control, Icon, Level, Picture, useEvery } from './parts'
import { faultText, fill, timer, useHere, type Words } from './words'

/** A call that goes on: with whom, for how long, what can be done. */
export function Talk({ call }: { call: CallSeen }) {
  const { calling, words, screen, site } = useHere()
  const { media, here } = screen
  const me = own(call)
  if (!here) return <Elsewhere />
  const seen = call.channel === 'video' || me?.screen || media.pictures.size > 0
  return (
    <div class="call-pane">
      <Pictures call={call} />
      <Status call={call} />
      {media.fault && (
        <p class="call-fault" role="alert">
          <Icon name="circle-alert" />
          <span class="grow">{faultText(words, media.fault.device, media.fault.fault)}</span>
          {media.fault.device === 'microphone' && (
            <button class="small-act" type="button" onClick={() => void calling.join()}>
              {words.again}
            </button>
          )}
        </p>
      )}
      {me && !me.muted && media.joined && <Level read={() => calling.levels().get(me.id) ?? 0} />}
      <div class="controls">
        <Control
          icon={me?.muted ? 'mic-off' : 'mic'}
          label={me?.muted ? words.unmute : words.mute}
          pressed={!!me?.muted}
          act={() => void calling.mute(!me?.muted)}
        />
        {site.about?.calls === 'video' && (
          <Control
            icon={me?.video ? 'video' : 'video-off'}
            label={me?.video ? words.cameraOff : words.cameraOn}
            pressed={!!me?.video}
            act={() => void calling.camera(!me?.video)}
          />
        )}
        {seen && 'getDisplayMedia' in (navigator.mediaDevices ?? {}) && (
          <Control
            icon="monitor"
            label={me?.screen ? words.screenOff : words.screenOn}
            pressed={!!me?.screen}
            act={() => void calling.screen(!me?.screen)}
          />
        )}
        <Control icon="phone-off" label={words.hangUp} bad act={() => void calling.hangUp()} />
      </div>
    </div>
  )
}

function Elsewhere() {
  const { calling, words } = useHere()
  return (
    <div class="call-strip">
      <Icon name="monitor" />
      <span class="grow">{words.elsewhere}</span>
      <button class="small-act" type="button" onClick={() => void calling.join()}>
        {words.takeHere}
      </button>
    </div>
  )
}

/** The name of whoever of the center talks, as visitors know them. */
export const nameIn = (call: CallSeen, words: Words): string =>
  call.legs.find((leg) => leg.party === 'agent' && leg.state === 'connected')?.name || words.agent

/** The heading of a call as it stands, and what it means. */
export function heading(call: CallSeen, lost: boolean, words: Words): [title: string, hint: string] {
  if (call.state === 'waiting') return [words.ringing, words.waitHint]
  if (own(call)?.held) return [words.held, words.heldHint]
  if (lost) return [words.reconnecting, words.reconnectingHint]
  return [fill(words.talking, { name: nameIn(call, words) }), '']
}

function Status({ call }: { call: CallSeen }) {
  const { words, screen, talk } = useHere()
  const lost = call.state === 'talking' && alone(call, screen.media)
  const [title, hint] = heading(call, lost || talk.link === 'lost', words)
  const place = call.state === 'waiting' ? talk.place : null
  const minutes = place?.wait_min ?? 0
  return (
    <div class={lost || own(call)?.held ? 'call-state held' : 'call-state'}>
      <div role="status">
        <h2>{title}</h2>
        {place?.position != null && (
          <p class="queue">
            <span class="figure" aria-hidden="true">{place.position}</span>
            <span>
              <b>{fill(words.place, { n: place.position })}</b>
              {minutes > 0 && <span class="small">{minutes > 60 ? words.waitLong : fill(words.wait, { minutes })}</span>}
            </span>
          </p>
        )}
        {hint && <p>{hint}</p>}
        {screen.media.quality && screen.media.quality !== 'good' && <p class="warn">{words[screen.media.quality]}</p>}
      </div>
      {call.answered_at && <Length from={call.answered_at} />}
    </div>
  )
}

/** The running time; the hub's clock and this one may differ, but never below zero. */
export function Length({ from }: { from: string }) {
  const { words } = useHere()
  const shown = useEvery(() => timer(Date.now() - Date.parse(from)), 500)
  return (
    <time class="length" aria-label={fill(words.length, { time: shown })}>
      {shown}
    </time>
  )
}

function Pictures({ call }: { call: CallSeen }) {
  const { words, screen } = useHere()
  const { pictures } = screen.media
  const me = own(call)
  const mine = me && (me.video || me.screen) ? pictures.get(me.id) : undefined
  const others = call.legs.filter((leg) => leg.id !== me?.id && leg.state === 'connected' && (leg.video || leg.screen))
  const shown = me?.held ? [] : others.flatMap((leg) => [pictures.get(leg.id)].flatMap((track) => (track ? [{ leg, track }] : [])))
  if (!mine && !shown.length) return null
  return (
    <div class="frame">
      {shown.map(({ leg, track }) => (
        <Picture key={leg.id} track={track} name={leg.name || words.agent} whole={leg.screen} />
      ))}
      {mine && <Picture track={mine} name={words.you} whole={!!me?.screen} mine />}
    </div>
  )
}

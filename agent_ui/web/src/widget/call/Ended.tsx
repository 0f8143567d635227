import type { CallSeen, Survey } from '@shared/call/model'
import { Icon } from './parts'
import { useHere, type Words } from './words'

function ending(call: CallSeen, words: Words): [title: string, hint: string] {
  if (call.why === 'busy') return [words.busyLine, '']
  if (call.why === 'closed') return [words.closed, '']
  if (call.why === 'lost' || call.why === 'failed') return [words.lost, words.lostHint]
  return call.answered_at ? [words.ended, words.endedHint] : [words.abandoned, '']
}

/** A call that is over, and what its customer is asked. */
export function Ended({ call }: { call: CallSeen }) {
  const { calling, words } = useHere()
  const [title, hint] = ending(call, words)
  return (
    <>
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
      {call.survey && <Score survey={call.survey} />}
    </>
  )
}

function Score({ survey }: { survey: Survey }) {
  const { calling, words, site } = useHere()
  const values = Array.from({ length: survey.to - survey.from + 1 }, (_, at) => survey.from + at)
  const text = (site.locale === 'ja' ? survey.text : survey.text_en) || words.survey
  return (
    <div class="call-pane" role="group" aria-label={text}>
      <p>{text}</p>
      <div class="scores">
        {values.map((value) => (
          <button key={value} class="small-act" type="button" onClick={() => void calling.score(value)}>
            {value}
          </button>
        ))}
      </div>
      <p class="ends">
        <span>{words.surveyLow}</span>
        <span>{words.surveyHigh}</span>
      </p>
    </div>
  )
}

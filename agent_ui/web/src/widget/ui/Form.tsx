import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { newId } from '../talk/ids'
import { Fault } from '../talk/rest'
import { useHere } from './here'
import { Icon } from './Icon'

type Field = 'name' | 'mail' | 'text'

const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/** Takes name, address and text while nobody is there. */
export function Form() {
  const { counter, talk, words } = useHere()
  const waits = talk.conversation?.state === 'waiting'
  const [values, setValues] = useState({ name: '', mail: '', text: waits ? words.addressText : '' })
  const [wrong, setWrong] = useState<Partial<Record<Field, string | undefined>>>({})
  const [stage, setStage] = useState<'open' | 'busy' | 'sent' | 'fault' | 'crowded'>('open')
  const id = useRef(newId())
  const form = useRef<HTMLFormElement>(null)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const found: typeof wrong = {}
    if (!MAIL.test(values.mail.trim())) found.mail = words.mailWrong
    if (!values.text.trim()) found.text = words.textMissing
    setWrong(found)
    const first = Object.keys(found)[0]
    if (first) return form.current?.querySelector<HTMLElement>(`[name=${first}]`)?.focus()
    setStage('busy')
    try {
      await counter.leaveMessage({ id: id.current, ...values })
      setStage('sent')
    } catch (problem) {
      setStage(problem instanceof Fault && problem.status === 429 ? 'crowded' : 'fault')
    }
  }
  const input = (name: Field) => ({
    name,
    value: values[name],
    'aria-invalid': !!wrong[name],
    'aria-describedby': `${name}-wrong`,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
{
      setValues({ ...values, [name]: currentTarget.value })
      setWrong({ ...wrong, [name]: undefined })
    },
  })
  if (stage === 'sent') return <Thanks />
  return (
    <form ref={form} class="form" noValidate onSubmit={(event) => void submit(event)}>
      <FormHead />
      <div class="fields">
        <p>{words.formHint}</p>
        <Labelled name="name" label={words.name} more={words.optional}>
          <input {...input('name')} data-first autoComplete="name" maxLength={120} />
        </Labelled>
        <Labelled name="mail" label={words.mail} wrong={wrong.mail}>
          <input {...input('mail')} type="email" autoComplete="email" maxLength={320} />
        </Labelled>
        <Labelled name="text" label={words.text} wrong={wrong.text}>
          <textarea {...input('text')} rows={5} maxLength={5000} />
        </Labelled>
        <div role="alert">
          {stage === 'fault' && <p class="refused">{words.formFault}</p>}
          {stage === 'crowded' && <p class="refused">{words.formCrowded}</p>}
        </div>
        <button class="wide primary" type="submit" disabled={stage === 'busy'}>
          {stage === 'busy' ? words.sending : words.send}
        </button>
      </div>
    </form>
  )
}

function FormHead() {
  const { counter, words } = useHere()
  const back = (): void =>
    counter.session.unfinished ? counter.show({ view: 'chat' }) : counter.home()
  return (
    <div class="head">
      <button class="tool" type="button" aria-label={words.back} onClick={back}>
        <Icon name="chevron-left" />
      </button>
      <div class="grow">
        <h2>{words.leave}</h2>
      </div>
      <button class="tool" type="button" aria-label={words.close} onClick={() => counter.close()}>
        <Icon name="x" />
      </button>
    </div>
  )
}

interface Labels {
  name: Field
  label: string
  more?: string
  wrong?: string | undefined
  children: ComponentChildren
}

function Labelled({ name, label, more, wrong, children }: Labels) {
  return (
    <div class="labelled">
      <label>
        <span class="label">
          {label}
          {more && <span class="small">{more}</span>}
        </span>
        {children}
      </label>
      <p id={`${name}-wrong`} class="wrong" role="alert">
        {wrong}
      </p>
    </div>
  )
}

function Thanks() {
  const { counter, words } = useHere()
  return (
    <div class="form">
      <FormHead />
      <div class="thanks" role="status">
        <span class="round">
          <Icon name="check" />
        </span>
        <h3>{words.formSent}</h3>
        <p>{words.formSentHint}</p>
        <button class="wide" type="button" ref={(it) => it?.focus()} onClick={() => counter.close()}>
          {words.close}
        </button>
      </div>
    </div>
  )
}

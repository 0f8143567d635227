import { useState } from 'preact/hooks'
import type { Callback } from '../state/model'
import { useHere } from './here'

/** A call instead of waiting: offered, asked for, or to be had after all. The hub's messages above say the rest. */
export function CallBack({ call: { state, shown } }: { call: Callback }) {
  const { counter, words } = useHere()
  const [writing, write] = useState(state !== 'declined')
  const [value, setValue] = useState(shown ?? counter.identity.claim?.phone)
  const [fault, setFault] = useState('')
  const tell = (act: string, number?: string) => counter.session.ask('callback', { act, number })
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const answer = await tell('ask', value)
    setFault(answer?.ok ? '' : answer?.code === 'wrong_number' ? words.callWrong : words.failed)
  }
  const back = (): void => {
    if (state === 'declined') write(false)
    else void tell('cancel')
  }
  if (!writing) {
    return (
      <button class="wide" onClick={() => write(true)}>
        {words.callAsk}
      </button>
    )
  }
  return (
    <form class="card fields" onSubmit={(event) => void submit(event)}>
      <label>
        <span class="label">{words.callNumber}</span>
        <input
          type="tel"
          autoComplete="tel"
          value={value}
          aria-invalid={!!fault}
          onInput={({ currentTarget }) => setValue(currentTarget.value)}
        />
        <span class="wrong" role="alert">
          {fault}
        </span>
      </label>
      <div class="pair">
        <button class="wide" type="button" onClick={back}>
          {words.callWait}
        </button>
        <button class="wide primary" disabled={!value || (state === 'asked' && value === shown)}>
          {words.callAsk}
        </button>
      </div>
    </form>
  )
}

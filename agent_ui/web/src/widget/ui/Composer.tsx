import { size } from '@shared/size'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Chosen } from '../talk/uploads'
import { fill } from '../words'
import { useHere } from './here'
import { Icon } from './Icon'

interface Props {
  chosen: Chosen[]
  refused: string[]
  add: (files: Iterable<File>) => void
  remove: (key: string) => void
  send: (text: string) => void
}

const TYPING_MS = 3_000

/** Says that the visitor is writing, now and then, and when it stops. */
function useTyping(tell: (on: boolean) => void): (writing: boolean) => void {
  const told = useRef(0)
  const timer = useRef(0)
  const stop = (): void => {
    clearTimeout(timer.current)
    if (told.current) tell(false)
    told.current = 0
  }
  useEffect(() => stop, [])
  return (writing) => {
    if (!writing) return stop()
    clearTimeout(timer.current)
    timer.current = window.setTimeout(stop, TYPING_MS * 2)
    if (Date.now() - told.current < TYPING_MS) return
    told.current = Date.now()
    tell(true)
  }
}

export function Composer({ chosen, refused, add, remove, send }: Props) {
  const { counter, screen, talk, words } = useHere()
  const field = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(counter.kept.get('draft') ?? '')
  const writing = useTyping((on) => counter.session.typing(on))
  const extra = text.length - (screen.about?.text_limit ?? Infinity)
  const ready = (text.trim() || chosen.length) && extra <= 0
  const write = (value: string): void => {
    setText(value)
    counter.kept.set('draft', value || null)
    writing(value !== '')
  }
  const submit = (): void => {
    if (!ready) return
    send(text.trim())
    write('')
    field.current?.focus()
  }
  useEffect(() => counter.watchDraft(setText), [])
  const fit = (): void => {
    const box = field.current!
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight}px`
  }
  useLayoutEffect(fit, [text])
  useEffect(() => {
    addEventListener('resize', fit)
    return () => removeEventListener('resize', fit)
  }, [])
  const keys = (event: KeyboardEvent): void => {
    if (event.isComposing || event.keyCode === 229) return
    if (event.key !== 'Enter' || event.shiftKey) return
    event.preventDefault()
    submit()
  }
  const paste = (event: ClipboardEvent): void => {
    const files = event.clipboardData?.files
    if (!files?.length) return
    event.preventDefault()
    add(files)
  }
  const label = talk.conversation ? words.writeMore : words.write
  return (
    <div class="compose">
      <div role="alert">
        {refused.map((why) => (
          <p key={why} class="refused">
            <Icon name="circle-alert" />
            {why}
          </p>
        ))}
        {extra > 0 && <p class="refused">{fill(words.tooLong, { n: extra })}</p>}
      </div>
      {chosen.map(({ key, file }) => (
        <div key={key} class="chosen">
          <Icon name={file.type.startsWith('image/') ? 'image' : 'file'} />
          <b>{file.name}</b>
          <span class="size">{size(file.size)}</span>
          <button
            class="tool"
            type="button"
            aria-label={fill(words.remove, { name: file.name })}
            onClick={() => remove(key)}
          >
            <Icon name="x" />
          </button>
        </div>
      ))}
      <div class="field">
        <textarea
          ref={field}
          data-first
          rows={1}
          value={text}
          placeholder={label}
          aria-label={label}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={keys}
          onPaste={paste}
          onBlur={() => writing(false)}
        />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={({ currentTarget }) => {
            add([...(currentTarget.files ?? [])])
            currentTarget.value = ''
          }}
        />
        <button
          class="tool"
          type="button"
          aria-label={words.attach}
          onClick={() => picker.current?.click()}
        >
          <Icon name="paperclip" />
        </button>
        <button class="send" type="button" aria-label={words.send} disabled={!ready} onClick={submit}>
          <Icon name="send-horizontal" />
        </button>
      </div>
    </div>
  )
}

import type { WidgetIcon } from '@shared/icons'
import { size } from '@shared/size'
import type { FilePart } from '../state/model'
import type { Attachment, Outgoing } from '../state/outbox'
import type { Mark, Said } from '../state/timeline'
import { useStore } from '../talk/store'
import { clock } from '../times'
import { fill } from '../words'
import { useHere } from './here'
import { Icon } from './Icon'

const LINK = /(https?:\/\/[^\s<>"'、。（）「」『』]+)/

export function Bubble({ said }: { said: Said }) {
  const { words } = useHere()
  const { mine, parts, outgoing } = said
  return (
    <div class={mine ? 'said mine' : 'said'} aria-live={mine ? 'off' : undefined}>
      <div class={said.mark === 'queued' || said.mark === 'sending' ? 'bubble held' : 'bubble'}>
        {mine && <span class="unseen">{words.you}</span>}
        {parts.map((part, index) => {
          if (part.type === 'text') return <Text key={index} text={part.text} links={!mine} />
          return part.type === 'file' && <Sent key={part.file} part={part} mine={mine} />
        })}
        {outgoing?.files.map((file) => <Upload key={file.key} file={file} />)}
      </div>
      {said.last && <Below said={said} />}
    </div>
  )
}

/** Text as text; addresses in it are links that open only when they are chosen. */
function Text({ text, links }: { text: string; links: boolean }) {
  if (!links) return <p>{text}</p>
  return (
    <p>
      {text.split(LINK).map((piece, index) =>
        index % 2 ? (
          <a key={index} href={piece} target="_blank" rel="noopener noreferrer nofollow">
            {piece}
          </a>
        ) : (
          piece
        ),
      )}
    </p>
  )
}

function FileRow(props: { name: string; bytes: number; kind: string; children?: unknown }) {
  return (
    <>
      <Icon name={props.kind.startsWith('image/') ? 'image' : 'file'} />
      <span class="grow">
        <b>{props.name}</b>
        <span class="size">{size(props.bytes)}</span>
      </span>
      {props.children}
    </>
  )
}

function Sent({ part, mine }: { part: FilePart; mine: boolean }) {
  const { counter, words } = useHere()
  const row = { name: part.name, bytes: part.size, kind: part.media_type }
  if (mine) {
    return (
      <div class="file">
        <FileRow {...row}>
          <Icon name="check" />
        </FileRow>
      </div>
    )
  }
  const fetched = async (): Promise<void> => {
    const url = await counter.download(part.file)
    if (url) location.assign(url)
  }
  return (
    <button
      class="file"
      type="button"
      aria-label={fill(words.download, { name: part.name })}
      onClick={() => void fetched()}
    >
      <FileRow {...row} />
    </button>
  )
}

function Upload({ file }: { file: Attachment }) {
  const { counter } = useHere()
  const percent = useStore(counter.uploads.progress).get(file.key) ?? 0
  return (
    <div class="file">
      <FileRow name={file.name} bytes={file.size} kind={file.media_type}>
        {file.id ? <Icon name="check" /> : <span class="percent">{percent}%</span>}
        {!file.id && !file.fault && <progress max={100} value={percent} aria-label={file.name} />}
      </FileRow>
    </div>
  )
}

const icons: Record<Mark, WidgetIcon> = {
  sending: 'clock',
  queued: 'clock',
  taken: 'check',
  delivered: 'check-check',
  read: 'check-check',
  failed: 'circle-alert',
}

function Below({ said: { at, mark, outgoing } }: { said: Said }) {
  const { talk, words } = useHere()
  const pending = mark === 'sending' || mark === 'queued' || mark === 'failed'
  const text = mark === 'queued' && talk.link === 'live' ? words.later : mark && words[mark]
  return (
    <>
      <p class={`mark ${mark ?? ''}`}>
        {mark && <Icon name={icons[mark]} />}
        {text} {!pending && <time dateTime={at}>{clock(at)}</time>}
      </p>
      {mark === 'failed' && outgoing && <Failed outgoing={outgoing} />}
    </>
  )
}

function Failed({ outgoing }: { outgoing: Outgoing }) {
  const { counter, screen, words } = useHere()
  const { id, files, text } = outgoing
  const fault = files.find((file) => file.fault)
  const limit = size(screen.about?.upload_limit ?? 0)
  const why: Record<string, string> = {
    too_large: fill(words.tooLarge, { name: fault?.name ?? '', limit }),
    empty_file: fill(words.emptyFile, { name: fault?.name ?? '' }),
    lost: words.fileLost,
  }
  const final = why[fault?.fault ?? '']
  return (
    <div class="failed" role="alert">
      {fault && <p>{final ?? words.fileFault}</p>}
      {!final && (
        <button type="button" onClick={() => counter.session.dispatch({ type: 'again', id })}>
          {words.again}
        </button>
      )}
      <button type="button" onClick={() => counter.takeBack(id, text)}>
        {words.discard}
      </button>
    </div>
  )
}

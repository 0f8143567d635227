import { call, Problem } from '@desk/acts/api'
import { backOffMs } from '@desk/acts/outbox'
import type { Draft, Mode } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { useLink } from '@desk/stream/link'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { reactive, ref, watch } from 'vue'
import type { Target } from './addresses'
import { KeptTexts } from './kept'

interface Writing {
  mode: Mode
  /** The person has chosen the mode, or there is a draft in it. */
  chosen: boolean
  texts: Record<Mode, string>
  /** What the hub holds, as far as we know. */
  saved: { mode: Mode; text: string }
  /** What this tab gave to the hub or took from it last: the hub's may be another tab's. */
  own: string
  /** How often the hub's draft went away. */
  gone: number
  /** Edited since the field got the focus. */
  focused: boolean
  /** Passing faults in a row. */
  tries: number
  /** Why the hub does not keep the draft: a problem's code. */
  refused: string
}

const SAVE_MS = 500
const MODES = 'madoguchi.modes'
const TARGETS = 'madoguchi.targets'

function savedAs<T>(key: string): Record<string, T> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, T>
  } catch {
    return {}
  }
}

/** What stands in the composers: texts per conversation and mode, saved and folded as drafts. */
export const useComposer = defineStore('composer', () => {
  const world = useWorld()
  const link = useLink()
  const writings = reactive(new Map<string, Writing>())
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const saving = new Set<string>()
  const kept = new KeptTexts(`madoguchi.texts.${useSession().me?.id ?? ''}`)
  const modes = savedAs<Mode>(MODES)
  /** Another address that the next replies of a conversation go to; kept like the mode. */
  const targets = reactive(savedAs<Target>(TARGETS))
  /** Grows when the field should take the focus. */
  const wanted = ref(0)

  function of(conversation: string): Writing {
    let writing = writings.get(conversation)
    if (writing) return writing
    const draft = world.drafts.get(conversation)
    const chosen = modes[conversation] ?? draft?.mode
    const mode = chosen ?? 'reply'
    const unsaved = kept.of(conversation)
    const text = draft?.text ?? ''
    writings.set(conversation, {
      mode,
      chosen: chosen !== undefined,
      texts: { reply: '', note: '', ...(draft ? { [draft.mode]: text } : {}), ...unsaved },
      saved: { mode: draft?.mode ?? mode, text },
      own: text,
      gone: 0,
      focused: false,
      tries: 0,
      refused: '',
    })
    if (unsaved) plan(conversation)
    writing = writings.get(conversation)
    return writing as Writing
  }

  function setMode(conversation: string, mode: Mode): void {
    Object.assign(of(conversation), { mode, chosen: true })
    modes[conversation] = mode
    localStorage.setItem(MODES, JSON.stringify(modes))
  }

  function setTarget(conversation: string, target: Target | null): void {
    if (target) targets[conversation] = target
    else delete targets[conversation]
    localStorage.setItem(TARGETS, JSON.stringify(targets))
  }

  function put(conversation: string, mode: Mode, text: string): void {
    of(conversation).texts[mode] = text
    remember(conversation)
    plan(conversation)
  }

  function write(conversation: string, text: string): void {
    const writing = of(conversation)
    writing.focused = true
    put(conversation, writing.mode, text)
  }

  /** Puts words back, after what may have been written since. */
  function give(conversation: string, mode: Mode, text: string): void {
    const now = of(conversation).texts[mode]
    setMode(conversation, mode)
    put(conversation, mode, now && now !== text ? `${now}\n${text}` : text)
    wanted.value += 1
  }

  const left = (conversation: string): void => void (of(conversation).focused = false)

  /** While somebody writes here, and until the hub has it, others' changes wait. */
  const editing = (writing: Writing): boolean => writing.focused || differs(writing)

  function plan(conversation: string, wait = SAVE_MS): void {
    clearTimeout(timers.get(conversation))
    timers.set(conversation, setTimeout(() => void save(conversation), wait))
  }

  /** The hub keeps one draft: that of the shown mode, or the other's if the shown one is empty. */
  function draftOf(writing: Writing): { mode: Mode; text: string } {
    const other: Mode = writing.mode === 'reply' ? 'note' : 'reply'
    const mode = writing.texts[writing.mode] || !writing.texts[other] ? writing.mode : other
    return { mode, text: writing.texts[mode] }
  }

  /** Whether the hub should hold something else. An empty field says nothing of another tab's draft. */
  function differs(writing: Writing): boolean {
    const { mode, text } = draftOf(writing)
    if (!text) return writing.saved.text !== '' && writing.saved.text === writing.own
    return text !== writing.saved.text || mode !== writing.saved.mode
  }

  /** Keeps here what the hub does not hold: it has room for one text, and may be out of reach. */
  function remember(conversation: string): void {
    const { texts, saved } = of(conversation)
    const held = (mode: Mode): boolean => saved.mode === mode && saved.text === texts[mode]
    kept.keep(conversation, { reply: held('reply') ? '' : texts.reply, note: held('note') ? '' : texts.note })
  }

  async function save(conversation: string): Promise<void> {
    timers.delete(conversation)
    const writing = of(conversation)
    if (!differs(writing)) return
    if (saving.has(conversation)) return plan(conversation)
    const [draft, gone] = [draftOf(writing), writing.gone]
    saving.add(conversation)
    writing.own = draft.text
    try {
      await call('PUT', `/conversations/${conversation}/draft`, { body: draft })
      saved(conversation, draft, gone === writing.gone)
    } catch (error) {
      unsaved(conversation, error)
    } finally {
      saving.delete(conversation)
    }
  }

  /** `still`: no draft of the conversation went away meanwhile; else nobody knows which one it was. */
  function saved(conversation: string, draft: { mode: Mode; text: string }, still: boolean): void {
    const writing = of(conversation)
    writing.saved = still ? draft : { ...draft, text: '' }
    writing.tries = 0
    writing.refused = ''
    remember(conversation)
    if (!still) plan(conversation)
  }

  /** Tries again what may pass; what is refused for good is told, and tried with the next edit. */
  function unsaved(conversation: string, error: unknown): void {
    const writing = of(conversation)
    const passing = error instanceof Problem && (error.passing || error.code === 'conflict')
    if (!passing) {
      writing.refused = error instanceof Problem ? error.code : 'failed'
    } else if (link.ready) {
      plan(conversation, backOffMs(writing.tries))
      writing.tries += 1
    }
  }

  function take(draft: Draft): void {
    const writing = writings.get(draft.conversation)
    if (!writing) return
    const ours = editing(writing)
    writing.saved = { mode: draft.mode, text: draft.text }
    if (!ours) {
      writing.texts[draft.mode] = draft.text
      writing.own = draft.text
    }
    remember(draft.conversation)
  }

  /** The hub's draft went with a message, or in another tab: what is being written here is not that. */
  function gone(conversation: string): void {
    const writing = writings.get(conversation)
    if (!writing) return
    const { mode, text } = writing.saved
    const ours = editing(writing)
    writing.gone += 1
    writing.saved = { mode, text: '' }
    if (!ours && text && writing.texts[mode] === text) writing.texts[mode] = ''
    remember(conversation)
    if (draftOf(writing).text) plan(conversation)
  }

  watch(
    () => world.drafts,
    (now, before) => {
      for (const [id, draft] of now) if (before.get(id)?.version !== draft.version) take(draft)
      for (const id of before.keys()) if (!now.has(id)) gone(id)
    },
  )
  // A draft may go that came too late to be shown as one: the world knows nothing of it.
  useLive().onEvent(({ entity, id, view }) => {
    if (entity === 'draft' && view === null) gone(id.split(':')[0] ?? '')
  })
  watch(
    () => link.ready,
    (ready) => ready && writings.forEach((writing, id) => differs(writing) && plan(id)),
  )

  return { wanted, targets, of, setMode, setTarget, write, put, give, left }
})

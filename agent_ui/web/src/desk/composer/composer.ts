import { call } from '@desk/acts/api'
import type { Draft, Mode } from '@desk/model/entities'
import { useLink } from '@desk/stream/link'
import { useWorld } from '@desk/stream/world'
import { defineStore } from 'pinia'
import { reactive, ref, watch } from 'vue'
import type { Target } from './addresses'

interface Writing {
  mode: Mode
  texts: Record<Mode, string>
  /** What the hub holds, as far as we know. */
  saved: { mode: Mode; text: string }
  /** Edited since the field got the focus, or not yet saved: others' changes wait. */
  editing: boolean
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
  const modes = savedAs<Mode>(MODES)
  /** Another address that the next replies of a conversation go to; kept like the mode. */
  const targets = reactive(savedAs<Target>(TARGETS))
  /** Grows when the field should take the focus. */
  const wanted = ref(0)

  function of(conversation: string): Writing {
    let writing = writings.get(conversation)
    if (writing) return writing
    const draft = world.drafts.get(conversation)
    const mode = modes[conversation] ?? draft?.mode ?? 'reply'
    writings.set(conversation, {
      mode,
      texts: { reply: '', note: '', ...(draft ? { [draft.mode]: draft.text } : {}) },
      saved: { mode: draft?.mode ?? mode, text: draft?.text ?? '' },
      editing: false,
    })
    writing = writings.get(conversation)
    return writing as Writing
  }

  function setMode(conversation: string, mode: Mode): void {
    of(conversation).mode = mode
    modes[conversation] = mode
    localStorage.setItem(MODES, JSON.stringify(modes))
  }

  function setTarget(conversation: string, target: Target | null): void {
    if (target) targets[conversation] = target
    else delete targets[conversation]
    localStorage.setItem(TARGETS, JSON.stringify(targets))
  }

  function write(conversation: string, text: string): void {
    const writing = of(conversation)
    writing.texts[writing.mode] = text
    writing.editing = true
    plan(conversation)
  }

  /** Puts words back, before what may have been written since. */
  function give(conversation: string, mode: Mode, text: string): void {
    const writing = of(conversation)
    setMode(conversation, mode)
    const now = writing.texts[mode]
    write(conversation, now && now !== text ? `${text}\n${now}` : text)
    wanted.value += 1
  }

  function left(conversation: string): void {
    if (!timers.has(conversation)) of(conversation).editing = false
  }

  function plan(conversation: string): void {
    clearTimeout(timers.get(conversation))
    timers.set(conversation, setTimeout(() => void save(conversation), SAVE_MS))
  }

  /** The hub keeps one draft: that of the shown mode, or the other's if the shown one is empty. */
  function draftOf(writing: Writing): { mode: Mode; text: string } {
    const other: Mode = writing.mode === 'reply' ? 'note' : 'reply'
    const mode = writing.texts[writing.mode] || !writing.texts[other] ? writing.mode : other
    return { mode, text: writing.texts[mode] }
  }

  async function save(conversation: string): Promise<void> {
    timers.delete(conversation)
    const writing = of(conversation)
    const draft = draftOf(writing)
    if (draft.text === writing.saved.text && (draft.mode === writing.saved.mode || !draft.text)) return
    try {
      await call('PUT', `/conversations/${conversation}/draft`, { body: draft })
      writing.saved = draft
    } catch {
      if (!link.ready) return
      plan(conversation)
    }
  }

  function take(draft: Draft): void {
    const writing = writings.get(draft.conversation)
    if (!writing) return
    writing.saved = { mode: draft.mode, text: draft.text }
    if (!writing.editing) writing.texts[draft.mode] = draft.text
  }

  watch(
    () => world.drafts,
    (now, before) => {
      for (const [id, draft] of now) if (before.get(id)?.version !== draft.version) take(draft)
      for (const [id, draft] of before) {
        const writing = writings.get(id)
        if (now.has(id) || !writing) continue
        writing.saved = { mode: draft.mode, text: '' }
        if (!writing.editing && writing.texts[draft.mode] === draft.text) writing.texts[draft.mode] = ''
      }
    },
  )
  watch(
    () => link.ready,
    (ready) => ready && [...writings.keys()].forEach((id) => of(id).editing && plan(id)),
  )

  return { wanted, targets, of, setMode, setTarget, write, give, left, saveNow: save }
})

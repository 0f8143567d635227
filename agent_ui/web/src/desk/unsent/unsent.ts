import { useActing } from '@desk/acts/acting'
import type { Outgoing, Why } from '@desk/acts/outbox'
import { useSending } from '@desk/acts/sending'
import type { Uploaded } from '@desk/acts/upload'
import { useComposer } from '@desk/composer/composer'
import { useFiles } from '@desk/composer/files'
import type { Conversation, Message, Mode } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { useWorld } from '@desk/stream/world'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** A text that did not reach anybody. */
export interface Unsent {
  key: string
  mode: Mode
  text: string
  files: readonly Uploaded[]
  /** Null: it was never sent, and there is no field left that shows it. */
  message: Outgoing | null
}

export type UnsentAct = 'send' | 'field' | 'copy' | 'discard'

export interface Place {
  id: string
  conversation: Conversation | undefined
  /** Whether a reply can be written there, and a note. */
  reply: boolean
  note: boolean
}

/** The colleague's answer that a refused reply had not seen. */
export const newerOf = (why: Why | undefined): Message | undefined =>
  why?.code === 'newer_answer' ? (why.facts['message'] as Message | undefined) : undefined

/** Why a message was refused, in a sentence that is true now. */
export function useCause() {
  const { reason } = useActing()
  const { t } = useI18n()
  const session = useSession()
  const world = useWorld()

  return function cause({ conversation: id, mode, why }: Outgoing): string {
    const conversation = world.world.conversation.get(id)
    if (!why) return ''
    if (why.code === 'newer_answer') return t('desk.unsent.because.newer')
    if (why.code === 'forbidden' && mode === 'reply') {
      // It may be theirs again: then nothing stands against sending.
      if (conversation?.owner === session.me?.id) return ''
      return t(conversation?.state === 'closed' ? 'desk.refused.closed' : 'desk.unsent.because.gone')
    }
    return reason(why)
  }
}

/** What was not sent in one conversation, in the order of writing, and what becomes of it. */
export function useUnsent(place: () => Place) {
  const sending = useSending()
  const composer = useComposer()
  const attached = useFiles()

  const held = computed(() => sending.held.get(place().id) ?? [])
  /** What stands in a field that this conversation does not show any more. */
  const hidden = computed(() => {
    const { id, reply, note } = place()
    const { texts } = composer.of(id)
    const modes: Mode[] = [...(reply ? [] : ['reply' as const]), ...(note ? [] : ['note' as const])]
    return modes.filter((mode) => texts[mode].trim())
  })
  const unsent = computed<Unsent[]>(() => [
    ...held.value.map((message) => ({ key: message.id, mode: message.mode, text: message.text, files: message.files, message })),
    ...hidden.value.map((mode) => ({ key: mode, mode, text: composer.of(place().id).texts[mode], files: [], message: null })),
  ])
  const messagesOf = (some: readonly Unsent[]): Outgoing[] => some.flatMap(({ message }) => message ?? [])

  function again(some: readonly Unsent[]): void {
    sending.again(messagesOf(some), newerOf(held.value[0]?.why)?.id)
  }

  /** Takes texts out of where they are; returns how to put them back there. */
  function take(some: readonly Unsent[]): () => void {
    const { id } = place()
    const taken = sending.take(messagesOf(some))
    const drafts = some.filter(({ message }) => !message)
    for (const { mode } of drafts) composer.put(id, mode, '')
    return () => {
      sending.restore(taken)
      for (const { mode, text } of drafts) composer.put(id, mode, text)
    }
  }

  /** Puts texts into the field that there is: their own, else that for notes. */
  function give(some: readonly Unsent[]): void {
    const { id, reply } = place()
    take(some)
    for (const { mode, text, files } of some) {
      composer.give(id, reply ? mode : 'note', text)
      attached.give(id, files)
    }
  }

  return { unsent, again, take, give }
}

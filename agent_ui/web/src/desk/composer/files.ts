import { upload, type Uploaded } from '@desk/acts/upload'
import { Problem } from '@desk/acts/api'
import { useSession } from '@desk/session/session'
import { computed, reactive, type Ref } from 'vue'

export interface Attached {
  key: number
  file: File
  part: number
  state: 'sending' | 'done' | 'failed'
  code: string
  uploaded: Uploaded | null
  stop: AbortController
}

let keys = 0

/** Files that are being put to a message; they are sent at once, and joined to it when it goes. */
export function useAttachments(conversation: Ref<string>) {
  const session = useSession()
  const all = reactive(new Map<string, Attached[]>())
  const here = computed(() => all.get(conversation.value) ?? [])
  const ready = computed(() => here.value.flatMap((each) => each.uploaded ?? []))
  const busy = computed(() => here.value.some((each) => each.state === 'sending'))

  function add(files: Iterable<File>): void {
    for (const file of files) {
      const id = conversation.value
      keys += 1
      const made: Attached = { key: keys, file, part: 0, state: 'sending', code: '', uploaded: null, stop: new AbortController() }
      all.set(id, [...(all.get(id) ?? []), made])
      const attached = all.get(id)?.at(-1)
      if (attached) void send(id, attached)
    }
  }

  async function send(id: string, attached: Attached): Promise<void> {
    attached.state = 'sending'
    attached.code = ''
    const limit = session.hub?.upload_limit ?? Infinity
    try {
      if (attached.file.size > limit) throw new Problem(413, 'too_large', '')
      if (attached.file.size === 0) throw new Problem(422, 'empty_file', '')
      attached.uploaded = await upload(id, attached.file, (part) => (attached.part = part), attached.stop.signal)
      attached.state = 'done'
    } catch (error) {
      attached.state = 'failed'
      attached.code = error instanceof Problem ? error.code : 'failed'
    }
  }

  function remove(attached: Attached): void {
    attached.stop.abort()
    all.set(conversation.value, here.value.filter((each) => each.key !== attached.key))
  }

  return {
    here,
    ready,
    busy,
    add,
    remove,
    retry: (attached: Attached) => send(conversation.value, attached),
    clear: () => all.delete(conversation.value),
  }
}

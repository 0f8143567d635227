import { upload, type Uploaded } from '@desk/acts/upload'
import { Problem } from '@desk/acts/api'
import { useSession } from '@desk/session/session'
import { defineStore } from 'pinia'
import { computed, reactive, watch, type Ref } from 'vue'

export interface Attached {
  key: number
  name: string
  size: number
  /** Null: it is with the hub already. */
  file: File | null
  part: number
  state: 'sending' | 'done' | 'failed'
  code: string
  uploaded: Uploaded | null
  stop: AbortController
}

type Kept = Record<string, Uploaded[]>

function kept(key: string): Kept {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '{}') as Kept
  } catch {
    return {}
  }
}

/** Files in the composers, by conversation; those that are with the hub survive a reload. */
export const useFiles = defineStore('files', () => {
  const KEY = `madoguchi.files.${useSession().me?.id ?? ''}`
  const all = reactive(new Map<string, Attached[]>())
  let keys = 0

  function attach(conversation: string, made: Omit<Attached, 'key' | 'part' | 'code' | 'stop'>): Attached | undefined {
    keys += 1
    const attached: Attached = { ...made, key: keys, part: 0, code: '', stop: new AbortController() }
    all.set(conversation, [...(all.get(conversation) ?? []), attached])
    return all.get(conversation)?.at(-1)
  }

  /** Puts files back that a message had which was not sent. */
  function give(conversation: string, files: readonly Uploaded[]): void {
    for (const uploaded of files) attach(conversation, { name: uploaded.name, size: uploaded.size, file: null, state: 'done', uploaded })
  }

  for (const [conversation, files] of Object.entries(kept(KEY))) give(conversation, files)
  const uploaded = computed<Kept>(() =>
    Object.fromEntries([...all].map(([id, files]) => [id, files.flatMap((each) => each.uploaded ?? [])])),
  )
  watch(uploaded, (now) => sessionStorage.setItem(KEY, JSON.stringify(now)))

  return { all, attach, give }
})

/** Files that are being put to a message; they are sent at once, and joined to it when it goes. */
export function useAttachments(conversation: Ref<string>) {
  const session = useSession()
  const { all, attach } = useFiles()
  const here = computed(() => all.get(conversation.value) ?? [])
  const ready = computed(() => here.value.flatMap((each) => each.uploaded ?? []))
  const busy = computed(() => here.value.some((each) => each.state === 'sending'))

  function add(files: Iterable<File>): void {
    for (const file of files) {
      const id = conversation.value
      const attached = attach(id, { name: file.name, size: file.size, file, state: 'sending', uploaded: null })
      if (attached) void send(id, attached)
    }
  }

  async function send(id: string, attached: Attached): Promise<void> {
    if (!attached.file) return
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

import { call, Problem } from '@desk/acts/api'
import type { CallView } from '@shared/call/model'
import type { Conversation, Customer, Item, Message } from '@desk/model/entities'
import { useLive } from '@desk/stream/live'
import { useLink } from '@desk/stream/link'
import { useWorld } from '@desk/stream/world'
import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch, type Ref } from 'vue'

interface Page {
  entries: Message[]
  conversations: Conversation[]
  items: Item[]
  calls: CallView[]
  before: string | null
}

const PAGE = 50
const cursors = new Map<string, string | null>()
/** The conversations whose messages the hub has given at least once. */
const read = reactive(new Set<string>())

/** Opens a conversation: asks for its messages, keeps them coming, and for the customer. */
export function useOpened(id: Ref<string>) {
  const { world, learn, relearnMessages } = useWorld()
  const live = useLive()
  const link = useLink()
  const loading = ref(false)
  const error = shallowRef<unknown>(null)
  const more = ref(false)
  const loadingMore = ref(false)
  const conversation = computed(() => world.conversation.get(id.value))

  async function page(conversation: string, before: string | null): Promise<Page> {
    const cursor = before ? `&before=${encodeURIComponent(before)}` : ''
    const found = await call<Page>('GET', `/conversations/${conversation}/timeline?limit=${PAGE}${cursor}`)
    learn('conversation', found.conversations)
    learn('item', found.items)
    learn('call', found.calls)
    learn('message', found.entries)
    return found
  }

  async function load(wanted: string): Promise<void> {
    loading.value = true
    error.value = null
    try {
      await live.open(wanted)?.catch(() => undefined)
      if (wanted === id.value) live.viewing(wanted)
      if (!world.conversation.has(wanted)) {
        learn('conversation', [await call<Conversation>('GET', `/conversations/${wanted}`)])
      }
      const held = new Set(world.message.keys())
      const found = await page(wanted, null)
      read.add(wanted)
      const from = found.entries[0]?.received_at ?? ''
      const ids = new Set(found.conversations.map((each) => each.id))
      relearnMessages(ids, held, new Set(found.entries.map((each) => each.id)), from)
      if (!cursors.has(wanted)) cursors.set(wanted, found.before)
      if (wanted === id.value) more.value = cursors.get(wanted) !== null
      await customer(wanted)
    } catch (fault) {
      if (wanted === id.value) error.value = fault
    } finally {
      if (wanted === id.value) loading.value = false
    }
  }

  async function customer(of: string): Promise<void> {
    const person = world.conversation.get(of)?.customer.id
    if (!person) return
    const found = await call<Customer & { conversations?: Conversation[] }>('GET', `/customers/${person}`)
    const { conversations = [], ...view } = found
    learn('conversation', conversations)
    learn('customer', [view])
  }

  async function older(): Promise<void> {
    const [wanted, before] = [id.value, cursors.get(id.value)]
    if (!before || loadingMore.value) return
    loadingMore.value = true
    try {
      cursors.set(wanted, (await page(wanted, before)).before)
      if (wanted === id.value) more.value = cursors.get(wanted) !== null
    } catch (fault) {
      if (!(fault instanceof Problem && fault.passing)) throw fault
    } finally {
      loadingMore.value = false
    }
  }

  watch(
    [id, () => live.generation],
    ([now], [before]) => {
      if (before && before !== now) live.close(before)
      if (!now || !link.ready) return
      void load(now)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    live.close(id.value)
    live.viewing(null)
  })

  return { conversation, loading, loaded: computed(() => read.has(id.value)), error, more, loadingMore, older, retry: () => load(id.value) }
}

import type { Conversation, Item } from '@desk/model/entities'

/** What waits for somebody to call back, or to listen. */
export interface Wait {
  id: string
  kind: 'voicemail' | 'callback'
  item: Item
  conversation: Conversation
}

const WAITS: ReadonlySet<string> = new Set(['waiting', 'offered', 'assigned'])
const CALLS: ReadonlySet<string> = new Set(['voice', 'video'])

function kindOf(item: Item): Wait['kind'] | null {
  if (item.kind === 'call') return null
  if (item.callback === 'asked') return 'callback'
  return CALLS.has(item.channel) && item.callback === 'none' ? 'voicemail' : null
}

/** What callers have left (a message after the tone, a wish) and wishes to be called that are the agent's or nobody's, the oldest first. */
export function waits(items: Iterable<Item>, conversations: ReadonlyMap<string, Conversation>, me: string): Wait[] {
  const found: Wait[] = []
  for (const item of items) {
    const kind = WAITS.has(item.state) && (!item.owner || item.owner === me) ? kindOf(item) : null
    const conversation = kind && conversations.get(item.conversation)
    if (kind && conversation) found.push({ id: item.id, kind, item, conversation })
  }
  return found.sort((a, b) => (a.item.enqueued_at < b.item.enqueued_at ? -1 : 1))
}

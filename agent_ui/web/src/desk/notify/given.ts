import type { Item } from '@desk/model/entities'
import { useOffers } from '@desk/offers/offers'
import { useSession } from '@desk/session/session'
import { useLive } from '@desk/stream/live'
import { useWorld } from '@desk/stream/world'
import { onBeforeUnmount, watch } from 'vue'

export interface Given {
  item: Item
  /** Who gave it; null: the router, without asking. */
  by: string | null
}

/** Whether an item has come to an agent without a doing of theirs, and by whom. */
export function givenTo(me: string, item: Item, asked: ReadonlySet<string>): Given | null {
  const turn = item.history.at(-1)
  if (item.state !== 'assigned' || item.owner !== me || turn?.agent !== me) return null
  if (turn.offer) return asked.has(turn.offer) ? null : { item, by: null }
  return item.handover && item.handover.by !== me ? { item, by: item.handover.by_name } : null
}

/** Tells once of each item that comes to this agent unasked: given by a supervisor, or accepted automatically. */
export function useGiven(tell: (given: Given) => void): void {
  const world = useWorld()
  const session = useSession()
  const offers = useOffers()
  const asked = new Set<string>()
  const told = new Set<string>()

  watch(
    () => offers.pending.map(({ id }) => id),
    (ids) => ids.forEach((id) => asked.add(id)),
    { immediate: true },
  )
  const stop = useLive().onEvent((event) => {
    if (event.type !== 'item.assigned' || !event.view) return
    const item = event.view as Item
    const given = givenTo(session.me?.id ?? '', item, asked)
    const turn = item.history.at(-1)?.id ?? ''
    if (!given || told.has(turn)) return
    told.add(turn)
    if (world.work.get(item.conversation)) tell(given)
  })
  onBeforeUnmount(stop)
}

import type { EntityName, EntityViews } from '@desk/model/entities'

/** One entity as it stands, or its end (`view` null: gone, or no longer for this desk). */
export interface Change {
  entity: string
  id: string
  version: number
  view: unknown
}

/** A place that views come from; a bit, because several may hold the same entity. */
export const Source = { rest: 1, agent: 2, supervisor: 4 } as const
export type Source = (typeof Source)[keyof typeof Source]

interface Mark {
  version: number
  sources: number
}

export type World = { [K in EntityName]: Map<string, EntityViews[K]> } & {
  marks: Map<string, Mark>
}

const names: readonly EntityName[] = [
  'call',
  'agent',
  'offer',
  'conversation',
  'item',
  'draft',
  'message',
  'customer',
  'preferences',
]
/** What a snapshot lists completely; messages and customers come only after `open`. */
const listed: ReadonlySet<string> = new Set(['call', 'agent', 'offer', 'conversation', 'item', 'draft', 'preferences'])

export function emptyWorld(map: <V>() => Map<string, V> = () => new Map()): World {
  const maps = Object.fromEntries(names.map((name) => [name, map()]))
  return { ...maps, marks: new Map() } as unknown as World
}

const keyOf = (entity: string, id: string): string => `${entity}/${id}`

function known(entity: string): entity is EntityName {
  return (names as readonly string[]).includes(entity)
}

/**
 * Takes one change into the world; true if something that can be seen changed. Idempotent, and
 * indifferent to order: a version smaller than the one held, or than the one that ended, is old.
 */
export function fold(world: World, change: Change, source: Source): boolean {
  const { entity, id, version, view } = change
  if (!known(entity)) return false
  const key = keyOf(entity, id)
  const mark = world.marks.get(key)
  if (mark && version < mark.version) return false
  if (view === null) return remove(world, entity, id, version, source)
  const news = world[entity].get(id)?.version !== version
  world.marks.set(key, { version, sources: (mark?.sources ?? 0) | source })
  if (news) (world[entity] as Map<string, unknown>).set(id, view)
  return news
}

function remove(
  world: World,
  entity: EntityName,
  id: string,
  version: number,
  source: Source,
): boolean {
  const key = keyOf(entity, id)
  const held = world.marks.get(key)?.sources ?? 0
  const sources = held & ~source & ~Source.rest
  world.marks.set(key, { version, sources })
  return sources === 0 && world[entity].delete(id)
}

/** Takes a snapshot: what this source no longer lists is gone. Returns how many entities changed. */
export function settle(world: World, entities: readonly Change[], source: Source): number {
  const kept = new Set(entities.map(({ entity, id }) => keyOf(entity, id)))
  let changed = 0
  for (const [key, mark] of [...world.marks]) {
    const [entity = '', id = ''] = split(key)
    if (kept.has(key) || !(mark.sources & source) || !listed.has(entity) || !known(entity)) continue
    if (remove(world, entity, id, mark.version, source)) changed += 1
  }
  for (const each of entities) if (fold(world, each, source)) changed += 1
  return changed
}

function split(key: string): [string, string] {
  const at = key.indexOf('/')
  return [key.slice(0, at), key.slice(at + 1)]
}

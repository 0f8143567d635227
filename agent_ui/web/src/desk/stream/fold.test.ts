import { expect, test } from 'vitest'
import { emptyWorld, fold, settle, Source, type Change } from './fold'

const change = (id: string, version: number, view: unknown = { id, version }): Change => ({
  entity: 'conversation',
  id,
  version,
  view,
})
const versions = (world: ReturnType<typeof emptyWorld>): [string, number][] =>
  [...world.conversation.values()].map(({ id, version }) => [id, version])

test('keeps the newest version, whatever the order', () => {
  const world = emptyWorld()
  expect(fold(world, change('a', 2), Source.agent)).toBe(true)
  expect(fold(world, change('a', 1), Source.agent)).toBe(false)
  expect(fold(world, change('a', 2), Source.agent)).toBe(false)
  expect(fold(world, change('a', 3), Source.agent)).toBe(true)
  expect(versions(world)).toEqual([['a', 3]])
})

test('a tombstone removes, and an older view does not bring it back', () => {
  const world = emptyWorld()
  fold(world, change('a', 1), Source.agent)
  expect(fold(world, change('a', 3, null), Source.agent)).toBe(true)
  expect(fold(world, change('a', 2), Source.agent)).toBe(false)
  expect(versions(world)).toEqual([])
  expect(fold(world, change('a', 3), Source.agent)).toBe(true)
})

test('what two streams hold stays until both have let it go', () => {
  const world = emptyWorld()
  fold(world, change('a', 1), Source.agent)
  fold(world, change('a', 1), Source.supervisor)
  expect(fold(world, change('a', 2, null), Source.agent)).toBe(false)
  expect(versions(world)).toEqual([['a', 1]])
  expect(fold(world, change('a', 3, null), Source.supervisor)).toBe(true)
})

test('of one change a stream may tell the end and another the view', () => {
  const world = emptyWorld()
  fold(world, change('a', 1), Source.agent)
  fold(world, change('a', 1), Source.supervisor)
  fold(world, change('a', 2, null), Source.agent)
  expect(fold(world, change('a', 2), Source.supervisor)).toBe(true)
  expect(versions(world)).toEqual([['a', 2]])
})

test('what REST has told goes when the stream says so', () => {
  const world = emptyWorld()
  fold(world, change('a', 1), Source.rest)
  fold(world, change('a', 2, null), Source.agent)
  expect(versions(world)).toEqual([])
})

test('a snapshot removes what it does not list, and counts what changed', () => {
  const world = emptyWorld()
  fold(world, change('gone', 1), Source.agent)
  fold(world, change('same', 1), Source.agent)
  fold(world, { entity: 'message', id: 'm', version: 1, view: { id: 'm' } }, Source.agent)
  expect(settle(world, [change('same', 1), change('new', 1)], Source.agent)).toBe(2)
  expect(versions(world)).toEqual([['same', 1], ['new', 1]])
  expect(world.message.size).toBe(1)
})

test('snapshot and events give the same as a fresh snapshot', () => {
  const live = emptyWorld()
  settle(live, [change('a', 1), change('b', 1)], Source.agent)
  for (const each of [change('b', 2, null), change('a', 2), change('c', 1)]) fold(live, each, Source.agent)
  const fresh = emptyWorld()
  settle(fresh, [change('a', 2), change('c', 1)], Source.agent)
  expect([...live.conversation]).toEqual([...fresh.conversation])
})

test('an entity that this desk does not know is ignored', () => {
  expect(fold(emptyWorld(), { entity: 'case', id: 'x', version: 1, view: {} }, Source.agent)).toBe(false)
})

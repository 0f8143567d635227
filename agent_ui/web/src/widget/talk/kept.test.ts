import { beforeEach, expect, test } from 'vitest'
import { outgoing } from '../state/samples'
import { newId } from './ids'
import { Kept } from './kept'

beforeEach(() => localStorage.clear())

test('accounts do not see each other, and forgetting leaves the language', () => {
  const [shop, other] = [new Kept('shop', () => localStorage), new Kept('other', () => localStorage)]
  shop.set('token', 't')
  shop.set('language', 'en')
  shop.keep(outgoing('a'))
  other.set('token', 'o')
  shop.forget()
  expect([shop.get('token'), shop.get('language'), shop.outbox()]).toEqual([null, 'en', []])
  expect(other.get('token')).toBe('o')
})

test('two tabs keep their texts beside each other', () => {
  const [one, two] = [new Kept('shop', () => localStorage), new Kept('shop', () => localStorage)]
  one.keep(outgoing('a'))
  two.keep(outgoing('b'))
  one.drop('a')
  expect(two.outbox().map(({ id }) => id)).toEqual(['b'])
})

test('where the browser keeps nothing, the page does', () => {
  const refused = (): Storage => {
    throw new Error('SecurityError')
  }
  const page = new Kept('shop', refused)
  page.set('token', 't')
  page.keep(outgoing('a'))
  expect([page.get('token'), page.outbox().length]).toEqual(['t', 1])
})

test('what is no text of ours is passed over', () => {
  localStorage.setItem('madoguchi:shop:out:x', '{"broken"')
  localStorage.setItem('madoguchi:shop:out:y', 'null')
  expect(new Kept('shop', () => localStorage).outbox()).toEqual([])
})

test('ids are UUIDv7 and sort by their time', () => {
  const ids = [newId(1), newId(1_764_000_000_000), newId(1_764_000_000_001)]
  expect([...ids].sort()).toEqual(ids)
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

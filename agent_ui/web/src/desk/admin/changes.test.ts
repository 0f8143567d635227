import { expect, test } from 'vitest'
import { differing, rebased, same } from './changes'

test('changes are counted field by field, entries of maps one by one', () => {
  const before = { name: 'A', requires: { ja: 2, en: 1 }, wrap_up: [{ key: 'x' }] }
  expect(differing(before, { name: 'A', requires: { en: 1, ja: 2 }, wrap_up: [{ key: 'x' }] })).toEqual([])
  expect(differing(before, { name: 'B', requires: { ja: 3, fr: 1 }, wrap_up: [] })).toEqual([
    'name', 'requires.en', 'requires.fr', 'requires.ja', 'wrap_up',
  ])
  expect(same([1, { a: 1 }], [1, { a: 1 }])).toBe(true)
})

test('my changes go on top of what somebody else has saved', () => {
  const base = { name: 'A', priority: 1, misses: 1 }
  const merge = rebased(base, { ...base, priority: 5 }, { ...base, priority: 9, misses: 3 })
  expect(merge).toEqual({ body: { name: 'A', priority: 5, misses: 3 }, clashes: ['priority'], taken: ['misses'] })
})

test('the same change by both is no clash', () => {
  expect(rebased({ a: 1 }, { a: 2 }, { a: 2 }).clashes).toEqual([])
})

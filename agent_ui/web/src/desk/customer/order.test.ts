import { expect, test } from 'vitest'
import { replaced } from '@desk/parts/useMoving'
import { blocks, ordered } from './order'

test('nothing was moved: the first order', () => {
  expect(ordered([])).toEqual([...blocks])
})

test('what is new comes after the block that it follows at first; what is unknown is left out', () => {
  expect(ordered(['earlier', 'identities', 'weather'])).toEqual(['earlier', 'identities', 'facts', 'page', 'open'])
  expect(ordered(['open', 'page'])).toEqual(['identities', 'facts', 'open', 'earlier', 'page'])
})

test('every order holds every block once', () => {
  for (const order of [['page', 'page'], ['earlier'], [...blocks].reverse()]) {
    expect([...new Set(ordered([...new Set(order)]))].sort()).toEqual([...blocks].sort())
  }
})

test('a block takes the place of another, upwards and downwards', () => {
  expect(replaced([...blocks], 'open', 'identities')).toEqual(['open', 'identities', 'facts', 'page', 'earlier'])
  expect(replaced([...blocks], 'identities', 'open')).toEqual(['facts', 'page', 'open', 'identities', 'earlier'])
  expect(replaced([...blocks], 'page', 'page')).toEqual([...blocks])
})

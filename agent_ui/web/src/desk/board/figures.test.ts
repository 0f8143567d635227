import { expect, test } from 'vitest'
import { added, percent } from './figures'

test('nothing divided is a dash, never 0', () => {
  expect(percent(null)).toBe('–')
  expect(percent(0)).toBe('0%')
  expect(percent(2 / 3)).toBe('67%')
  expect(percent(1)).toBe('100%')
})

test('queues are added before anything is divided', () => {
  const day = added([
    { answered: 3, in_time: 3, abandoned: 1 },
    { answered: 6, in_time: 3, abandoned: 0 },
  ])
  expect(day).toMatchObject({ offered: 10, level: 0.6, answerRate: 0.9, abandonRate: 0.1 })
  expect(added([])).toMatchObject({ offered: 0, level: null, answerRate: null, abandonRate: null })
})

import { expect, test } from 'vitest'
import { percent } from './figures'

test('nothing divided is a dash, never 0', () => {
  expect(percent(null)).toBe('–')
  expect(percent(0)).toBe('0%')
  expect(percent(2 / 3)).toBe('67%')
  expect(percent(1)).toBe('100%')
})

import { expect, test } from 'vitest'
import { kindOf, read, written } from './attributes'

test('each kind is written and read back', () => {
  for (const value of ['osaka', 3, 1.5, true, false, ['ja', 'en'], []]) expect(read(written(value), kindOf(value))).toEqual(value)
})

test('lists take commas of any width, and numbers only numbers', () => {
  expect(read('ja、en， ko,', 'texts')).toEqual(['ja', 'en', 'ko'])
  expect(read('three', 'int')).toBe('three')
  expect(read('', 'int')).toBe('')
})

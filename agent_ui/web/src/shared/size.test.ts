import { expect, test } from 'vitest'
import { size } from './size'

test.each([
  [1, '1 KB'],
  [421_888, '412 KB'],
  [20 * 1024 * 1024, '20 MB'],
  [1_600_000, '1.5 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text)
})

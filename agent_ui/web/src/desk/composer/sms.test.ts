import { expect, test } from 'vitest'
import { segments } from './sms'

test.each([
  ['', 'gsm7', 0, 160, 1],
  ['a'.repeat(160), 'gsm7', 160, 160, 1],
  ['a'.repeat(161), 'gsm7', 161, 306, 2],
  ['€'.repeat(80), 'gsm7', 160, 160, 1],
  ['[a]', 'gsm7', 5, 160, 1],
  ['あ'.repeat(70), 'ucs2', 70, 70, 1],
  ['あ'.repeat(71), 'ucs2', 71, 134, 2],
  ['😀'.repeat(35), 'ucs2', 70, 70, 1],
] as const)('%#: counts as the network does', (text, encoding, used, room, parts) => {
  expect(segments(text)).toMatchObject({ encoding, used, room, parts })
})

test('a character is never cut in two', () => {
  expect(segments('あ'.repeat(66) + '😀'.repeat(3)).parts).toBe(2)
  expect(segments('a'.repeat(152) + '€' + 'a'.repeat(10)).parts).toBe(2)
  expect(segments('😀'.repeat(67)).parts).toBe(3)
})

test('names the character that forces 70', () => {
  expect(segments('Hello – there').forcedBy).toBe('–')
  expect(segments('Ñandú').forcedBy).toBe('ú')
  expect(segments('Hello').forcedBy).toBeNull()
})

import { expect, test } from 'vitest'
import { composing, KeyReader, letterOf, type Press } from './keymap'

const press = (key: string, values: Partial<Press> = {}): Press => ({
  key, code: '', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, keyCode: 0, ...values,
})
const read = (key: string, values: Partial<Press> = {}, inField = false, letters = true) =>
  new KeyReader().read(press(key, values), inField, letters, 0)

test('nothing is read while an input method works', () => {
  expect(composing({ isComposing: true, keyCode: 0 })).toBe(true)
  expect(composing({ isComposing: false, keyCode: 229 })).toBe(true)
  expect(read('F2', { isComposing: true })).toBeNull()
  expect(read('j', { keyCode: 229 })).toBeNull()
})

test('F2 works anywhere, letters only outside fields', () => {
  expect(read('F2', {}, true)).toBe('accept')
  expect(read('F2', { shiftKey: true }, true)).toBe('decline')
  expect(read('j', {}, true)).toBeNull()
  expect(read('j')).toBe('next')
  expect(read('j', {}, false, false)).toBeNull()
})

test('search opens with Ctrl or Cmd, in fields too', () => {
  expect(read('k', { ctrlKey: true }, true)).toBe('search')
  expect(read('k', { metaKey: true }, true)).toBe('search')
  expect(read('k', { ctrlKey: true, shiftKey: true })).toBeNull()
  expect(read('t', { ctrlKey: true })).toBeNull()
  expect(read('r', { altKey: true })).toBeNull()
})

test('a kana layout works by the place of the key', () => {
  expect(letterOf({ key: 'ま', code: 'KeyJ' })).toBe('j')
  expect(letterOf({ key: 'ぬ', code: 'Digit1' })).toBe('1')
  expect(letterOf({ key: 'J', code: 'KeyJ' })).toBe('j')
  expect(read('ま', { code: 'KeyJ' })).toBe('next')
})

test('G begins a sequence, for a moment', () => {
  const reader = new KeyReader()
  const keys = (key: string, at: number) => reader.read(press(key), false, true, at)
  expect(keys('g', 0)).toBeNull()
  expect(keys('1', 500)).toBe('receive')
  expect(keys('1', 600)).toBe('list')
  keys('g', 1_000)
  expect(keys('m', 5_000)).toBeNull()
})

test('the question mark needs Shift on most layouts', () => {
  expect(read('?', { shiftKey: true })).toBe('help')
  expect(read('J', { shiftKey: true })).toBeNull()
})

import { expect, test } from 'vitest'
import { bindings, composing, give, keymap, KeyReader, letterOf, partsOf, pressed, type OwnKeys, type Press } from './keymap'

const press = (key: string, values: Partial<Press> = {}): Press => ({
  key, code: '', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, keyCode: 0, ...values,
})
const readerOf = (own: OwnKeys = {}) => new KeyReader(() => keymap(own))
const read = (key: string, values: Partial<Press> = {}, inField = false, letters = true, own: OwnKeys = {}) =>
  readerOf(own).read(press(key, values), inField, letters, 0)

test('nothing is read while an input method works', () => {
  expect(composing({ isComposing: true, keyCode: 0 })).toBe(true)
  expect(composing({ isComposing: false, keyCode: 229 })).toBe(true)
  expect(read('F2', { isComposing: true })).toBeNull()
  expect(read('j', { keyCode: 229 })).toBeNull()
  expect(pressed(press('F4', { isComposing: true }))).toBeNull()
})

test('F2 works anywhere, letters only outside fields', () => {
  expect(read('F2', {}, true)).toBe('accept')
  expect(read('F2', { shiftKey: true }, true)).toBe('decline')
  expect(read('j', {}, true)).toBeNull()
  expect(read('j')).toBe('next')
  expect(read('j', {}, false, false)).toBeNull()
  expect(read('F2', {}, false, false)).toBe('accept')
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
  const reader = readerOf()
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

test('the first keys are allowed and clash with nothing', () => {
  expect(new Set(bindings.map(({ first }) => first)).size).toBe(bindings.length)
  for (const { act, first } of bindings) expect(give({}, act, first)).toEqual({ kind: 'given', own: {} })
})

test('an act is given another key, which then works and the first one does not', () => {
  const given = give({}, 'reply', 'q')
  expect(given).toEqual({ kind: 'given', own: { reply: 'q' } })
  expect(read('q', {}, false, true, { reply: 'q' })).toBe('reply')
  expect(read('r', {}, false, true, { reply: 'q' })).toBeNull()
  expect(read('F4', {}, true, false, { accept: 'F4' })).toBe('accept')
})

test('a key that another act has is refused by its name, also where a person gave it', () => {
  expect(give({}, 'reply', 'n')).toEqual({ kind: 'clash', act: 'note' })
  expect(give({}, 'reply', 'g m')).toEqual({ kind: 'clash', act: 'inbox' })
  expect(give({ end: 'q' }, 'reply', 'q')).toEqual({ kind: 'clash', act: 'end' })
  expect(give({ end: 'q' }, 'reply', 'e')).toEqual({ kind: 'given', own: { end: 'q', reply: 'e' } })
  expect(give({ end: 'q', reply: 'e' }, 'end', 'e')).toEqual({ kind: 'clash', act: 'reply' })
})

test('keys of the browser, and the one that begins sequences, cannot be given', () => {
  for (const key of ['g', 'F5', 'F12', 'Shift+F10', 'Ctrl+t', 'Ctrl+1', 'Ctrl+c', 'Enter']) {
    expect(give({}, 'reply', key)).toEqual({ kind: 'kept' })
  }
})

test('an act may have no key, and gets its first one back', () => {
  expect(give({}, 'take', '')).toEqual({ kind: 'given', own: { take: '' } })
  expect(give({ take: '', end: '' }, 'take', 'a')).toEqual({ kind: 'given', own: { end: '' } })
  expect(read('a', {}, false, true, { take: '' })).toBeNull()
})

test('keys are shown part by part', () => {
  expect(partsOf('Shift+F2', false)).toEqual(['Shift', 'F2'])
  expect(partsOf('Ctrl+k', true)).toEqual(['⌘', 'K'])
  expect(partsOf('g m', false)).toEqual(['G', 'M'])
  expect(partsOf('+', false)).toEqual(['+'])
})

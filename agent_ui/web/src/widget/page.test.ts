import { afterEach, expect, test } from 'vitest'
import { followPage, schemeOf } from './page'
import { later } from './talk/fakes'

const root = document.documentElement
afterEach(() => {
  root.removeAttribute('lang')
  root.removeAttribute('class')
})

test('hears of the page at once and at every switch of its root', async () => {
  root.lang = 'ja'
  const heard: string[] = []
  followPage(document, () => heard.push(root.lang))
  expect(heard).toEqual(['ja'])
  root.lang = 'en-GB'
  await later()
  root.className = 'dark'
  await later()
  expect(heard).toEqual(['ja', 'en-GB', 'en-GB'])
})

test.each([
  ['dark', 'dark'],
  ['only light', 'light'],
  ['light dark', ''],
  ['normal', ''],
  ['', ''],
] as const)('a page of the scheme "%s" makes the widget "%s"', (scheme, theme) => {
  expect(schemeOf(scheme)).toBe(theme)
})

import { expect, test } from 'vitest'
import { pickLocale } from './locale'

test.each([
  [['ja-JP', 'en'], 'ja'],
  [['fr', 'JA'], 'ja'],
  [['en-GB', 'ja'], 'en'],
  [['jav'], 'en'],
  [[], 'en'],
])('%j is served in %s', (wanted, locale) => {
  expect(pickLocale(wanted)).toBe(locale)
})

import en from '@catalogue/en.json'
import ja from '@catalogue/ja.json'
import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import SmsCounter from './SmsCounter.vue'

test.each([
  ['en', '', ''],
  ['en', 'a'.repeat(23), '23 / 160 · 1 part'],
  ['en', 'a'.repeat(161), '161 / 306 · 2 parts'],
  ['ja', '', ''],
  ['ja', 'はい', '2 / 70 文字・1 通'],
  ['ja', 'あ'.repeat(71), '71 / 134 文字・2 通'],
] as const)('%s: counts what is written, and nothing before', (locale, text, shown) => {
  const i18n = createI18n<false>({ legacy: false, locale, messages: { en, ja } as never })
  const counter = mount(SmsCounter, { props: { text }, global: { plugins: [i18n], stubs: { UIcon: true } } })
  expect(counter.text()).toBe(shown)
})

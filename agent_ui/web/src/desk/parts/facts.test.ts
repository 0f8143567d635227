import { createTranslations } from '@desk/i18n'
import type { Hub } from '@desk/model/session'
import { useSession } from '@desk/session/session'
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { expect, test } from 'vitest'
import { defineComponent, h } from 'vue'
import { useFacts } from './facts'

const hub = {
  queues: [{ key: 'returns', name: '返品窓口', name_en: 'Returns', wrap_up: [] }],
  skills: [{ key: 'order', name: 'ご注文', name_en: 'Orders' }],
} as unknown as Hub
const codes = ['skill:order:3', 'missing_skill:order:2', 'missing_queue:returns']

async function said(locale: 'en' | 'ja'): Promise<string> {
  setActivePinia(createPinia())
  useSession().hub = hub
  const Facts = defineComponent(() => {
    const { facts, obstacle } = useFacts()
    return () => h('p', `${facts(codes)} ${obstacle('skill:order:3')}`)
  })
  return mount(Facts, { global: { plugins: [await createTranslations(locale)] } }).text()
}

test('explanations name skills and queues in the reader’s language only', async () => {
  const [english, japanese] = [await said('en'), await said('ja')]
  expect(english).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/)
  expect(english.match(/Orders/g)).toHaveLength(3)
  expect(japanese).not.toMatch(/[a-z]/i)
  expect(japanese.match(/ご注文/g)).toHaveLength(3)
})

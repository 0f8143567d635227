import { mount } from '@vue/test-utils'
import ui from '@nuxt/ui/vue-plugin'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createTranslations } from '@desk/i18n'
import type { Message } from '@desk/model/entities'
import { hubNow } from '@desk/stream/clock'
import DeliveryState from './DeliveryState.vue'

const at = Date.parse('2026-11-22T05:00:00Z')
const sending: Message = {
  id: 'm1',
  version: 2,
  conversation: 'c1',
  author: 'agent',
  direction: 'out',
  visibility: 'public',
  channel: 'sms',
  account: 'a1',
  identity: 'i1',
  agent: 'ann',
  agent_name: 'Ann',
  parts: [{ type: 'text', text: 'an answer' }],
  state: 'sending',
  reason: '',
  retry: null,
  late: false,
  provider_at: null,
  received_at: '2026-11-22T05:00:00Z',
}

async function shown(locale: 'en' | 'ja', more: Partial<Message>) {
  const plugins = [createPinia(), await createTranslations(locale), ui]
  const page = mount(DeliveryState, { props: { message: { ...sending, ...more }, at }, global: { plugins } })
  return { page, text: page.get('span:not(.iconify)').text() }
}

const soon = (seconds: number) => ({ at: new Date(hubNow() + seconds * 1000).toISOString(), attempts: 3 })

test.each([
  ['ja', '送信中', /^まだ送れていません。\d+:\d\dに再試行します$/, '送信を再試行しています'],
  ['en', 'Sending', /^Not sent yet\. Trying again at \d+:\d\d$/, 'Trying to send it again'],
] as const)('in %s a message that was put off says so, and when', async (locale, plain, later, now) => {
  expect((await shown(locale, {})).text).toBe(plain)
  const waits = await shown(locale, { retry: soon(120) })
  expect(waits.text).toMatch(later)
  expect(waits.page.find('time').exists()).toBe(false)
  expect((await shown(locale, { retry: soon(-60) })).text).toBe(now)
})

test.each([
  ['ja', '送信待ち', /^まだ送れていません。\d+:\d\dに送信します$/],
  ['en', 'Queued', /^Not sent yet\. Goes out at \d+:\d\d$/],
] as const)('in %s a message behind a pause says when it goes out', async (locale, plain, later) => {
  const waits = { state: 'queued', retry: { ...soon(120), attempts: 0 } } as const
  expect((await shown(locale, waits)).text).toMatch(later)
  expect((await shown(locale, { ...waits, retry: { ...soon(-60), attempts: 0 } })).text).toBe(plain)
})

test('whatever came of it is told instead', async () => {
  expect((await shown('en', { retry: soon(120), state: 'sent' })).text).toBe('Sent')
  expect((await shown('en', { retry: soon(120), state: 'failed' })).text).toBe('Not sent')
})

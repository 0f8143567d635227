import ui from '@nuxt/ui/vue-plugin'
import { createTranslations } from '@desk/i18n'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import DeadLettersPage from './DeadLettersPage.vue'

const letter = {
  id: 1, account: 'sms', account_name: 'みなと珈琲店 SMS', account_name_en: 'Minato Coffee SMS', event_id: 'SM5', kind: 'message',
  lane: 'sender', received_at: '2026-11-22T05:00:00Z', attempts: 1, code: 'not_understood', detail: 'KeyError: From', running: true, head: '',
}

async function row(locale: 'en' | 'ja', more: Partial<typeof letter> = {}) {
  const pinia = createPinia()
  setActivePinia(pinia)
  const body = JSON.stringify({ deadletters: [{ ...letter, ...more }] })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { headers: { 'Content-Type': 'application/json' } })))
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: DeadLettersPage }] })
  const page = mount(DeadLettersPage, { global: { plugins: [pinia, router, await createTranslations(locale), ui] } })
  await flushPromises()
  return page
}
const why = async (...of: Parameters<typeof row>) => (await row(...of)).get('.why').text()

afterEach(() => void vi.unstubAllGlobals())

test.each([
  ['en', 'Minato Coffee SMS', 'Delivery state', 'The content could not be understood.'],
  ['ja', 'みなと珈琲店 SMS', '配信状況', '内容を解釈できませんでした。'],
] as const)('account, kind and reason are said to whoever reads %s', async (locale, account, kind, reason) => {
  const page = await row(locale, { kind: 'status:019ab' })
  expect(page.get('tbody').text()).toContain(account)
  expect(page.get('tbody').text()).toContain(kind)
  expect(page.get('.why').text()).toContain(reason)
  expect(page.text()).not.toContain(letter.detail)
  await page.get('.why button').trigger('click')
  expect(page.get('.raw').text()).toContain(letter.detail)
})

test('what hinders a replay now comes before what hindered the first run', async () => {
  expect(await why('en', { running: false })).toContain('The account Minato Coffee SMS is not working')
  const gone = { running: false, account: '', account_name: '', account_name_en: '' }
  expect(await why('en', gone)).toContain('The account has been deleted')
  expect((await row('ja', gone)).get('tbody').text()).toContain('削除済みのアカウント')
})

test('a code of a newer hub is said by its detail, the kind of a new connector as it is', async () => {
  expect((await row('en', { kind: 'scan' })).get('tbody').text()).toContain('scan')
  expect(await why('ja', { code: 'newer' })).toContain(letter.detail)
})

import ui from '@nuxt/ui/vue-plugin'
import { createTranslations } from '@desk/i18n'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import VersionsPage from './VersionsPage.vue'

async function head(locale: 'en' | 'ja', author_name: string, reason: string): Promise<string> {
  const pinia = createPinia()
  setActivePinia(pinia)
  const version = { number: 1, at: '2026-11-22T05:00:00Z', author: '1', author_name, reason, changes: [] }
  const body = JSON.stringify({ versions: [version] })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { headers: { 'Content-Type': 'application/json' } })))
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: VersionsPage }] })
  const page = mount(VersionsPage, { global: { plugins: [pinia, router, await createTranslations(locale), ui] } })
  await flushPromises()
  return page.get('.version .head').text()
}

afterEach(() => void vi.unstubAllGlobals())

test.each([
  ['en', 'The demo company\'s first settings'],
  ['ja', 'デモの会社の初期設定'],
] as const)('the hub’s own reason is said to whoever reads %s', async (locale, said) => {
  expect(await head(locale, '', 'demo_company')).toContain(said)
})

test('what a person gave as reason stays as it was written, none is said to be none', async () => {
  expect(await head('en', 'Ada', 'demo_company')).toContain('demo_company')
  expect(await head('en', '', '年末の体制')).toContain('年末の体制')
  expect(await head('ja', 'Ada', '')).toContain('（理由なし）')
})

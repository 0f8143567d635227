import { mount, flushPromises } from '@vue/test-utils'
import ui from '@nuxt/ui/vue-plugin'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import App from './App.vue'
import { createTranslations } from './i18n'
import { createDeskRouter } from './router'

async function open(path: string, locale: 'en' | 'ja') {
  const router = createDeskRouter(createMemoryHistory())
  await router.push(path)
  const plugins = [createPinia(), router, await createTranslations(locale), ui]
  const page = mount(App, { global: { plugins } })
  await flushPromises()
  return page
}

test('the desk opens in the chosen language', async () => {
  expect((await open('/', 'ja')).get('h1').text()).toBe('受信箱')
  expect(document.documentElement.lang).toBe('ja')
  expect((await open('/', 'en')).get('h1').text()).toBe('Inbox')
})

test('an unknown address says so and leads back, without an inline style element', async () => {
  const page = await open('/nowhere', 'en')
  expect(page.text()).toContain('There is no such page.')
  expect(page.get('a').attributes('href')).toBe('/')
  expect(page.get('a svg').html()).toContain('path')
  expect(document.querySelector('#nuxt-ui-colors')).toBeNull()
})

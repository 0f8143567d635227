import { flushPromises, mount } from '@vue/test-utils'
import ui from '@nuxt/ui/vue-plugin'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, test, vi } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import App from './App.vue'
import { createTranslations } from './i18n'
import { createDeskRouter } from './router'

interface Answer {
  status: number
  body: object
}

/** A hub that answers by method and path; anything else is 404. */
function hub(answers: Record<string, Answer>): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', (path: string, { method }: RequestInit) => {
    const call = `${method} ${path.replace('/api/v1', '')}`
    asked.push(call)
    const { status, body } = answers[call] ?? { status: 404, body: { code: 'not_found' } }
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } }))
  })
  return asked
}

async function open(path: string, locale: 'en' | 'ja') {
  const pinia = createPinia()
  setActivePinia(pinia)
  const translations = await createTranslations(locale)
  const router = createDeskRouter(createMemoryHistory())
  await router.push(path)
  const page = mount(App, { global: { plugins: [pinia, router, translations, ui] } })
  await flushPromises()
  return { page, router }
}

afterEach(() => void vi.unstubAllGlobals())

const nobody = { 'GET /session': { status: 401, body: { code: 'not_signed_in' } } }
const administrator = {
  csrf: 't',
  me: { id: '1', key: 'a', name: 'Ada', language: 'en', roles: ['administrator'], queues: [], teams: [], units: 5 },
  hub: { name: 'H', version: '1', queues: [], accounts: [], upload_limit: 1, text_limit: 1 },
}

test('who is not signed in is asked to, in the chosen language, and comes back to the page wanted', async () => {
  hub(nobody)
  const { page, router } = await open('/inbox/open', 'ja')
  expect(router.currentRoute.value).toMatchObject({ name: 'login', query: { to: '/inbox/open' } })
  expect(page.get('h1').text()).toBe('サインイン')
  expect(document.documentElement.lang).toBe('ja')
})

test('a wrong password is said, and the name stays', async () => {
  hub({ ...nobody, 'POST /session': { status: 401, body: { code: 'wrong_password' } } })
  const { page } = await open('/login', 'en')
  const [name, password] = page.findAll('input')
  await name?.setValue('okamoto')
  await password?.setValue('wrong')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain('The user name or the password is wrong.')
  expect(name?.element.value).toBe('okamoto')
  expect(password?.element.value).toBe('')
})

test('too many attempts tell when to try again', async () => {
  hub({ ...nobody, 'POST /session': { status: 429, body: { code: 'too_many', retry_after_s: 30 } } })
  const { page } = await open('/login', 'en')
  for (const input of page.findAll('input')) await input.setValue('x')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain('30 seconds')
})

test('a page of another role leads to the own first page; an unknown address says so', async () => {
  hub({ 'GET /session': { status: 200, body: administrator }, 'GET /config': { status: 200, body: { number: 1, objects: [] } } })
  const { page, router } = await open('/board', 'en')
  expect(router.currentRoute.value.path).toBe('/admin/queues')
  await router.push('/nowhere')
  await flushPromises()
  expect(page.text()).toContain('There is no such page.')
  expect(document.querySelector('#nuxt-ui-colors')).toBeNull()
})

test.each([
  [['agent', 'supervisor'], '/inbox/open', ['/inbox', '/phone', '/board', '/calls', '/plan', '/admin/queues']],
  [['supervisor'], '/board', ['/board', '/calls', '/plan', '/admin/queues']],
  [['supervisor', 'administrator'], '/board', ['/board', '/calls', '/plan', '/admin/queues']],
  [['administrator'], '/admin/queues', ['/plan', '/admin/queues']],
])('%j begin at %s', async (roles, first, entries) => {
  const session = { ...administrator, me: { ...administrator.me, roles } }
  hub({ 'GET /session': { status: 200, body: session }, 'GET /config': { status: 200, body: { number: 1, objects: [] } } })
  const { page, router } = await open('/', 'ja')
  expect(router.currentRoute.value.path).toBe(first)
  const rail = page.findAll('nav.rail a').map((entry) => entry.attributes('href') ?? '')
  expect(rail.filter((to) => !to.startsWith('/admin/') || to === '/admin/queues')).toEqual(entries)
  page.unmount()
})

test('a supervisor who is no agent reads conversations, but has none of their own', async () => {
  const session = { ...administrator, me: { ...administrator.me, roles: ['supervisor'] } }
  hub({ 'GET /session': { status: 200, body: session } })
  const { page, router } = await open('/inbox/open', 'ja')
  expect(router.currentRoute.value.path).toBe('/board')
  await router.push('/inbox/open/c1')
  await flushPromises()
  expect(router.currentRoute.value.path).toBe('/inbox/unassigned/c1')
  expect(page.findAll('.tabs a')).toHaveLength(1)
  expect(page.get('h1').text()).toBe('会話の一覧')
  expect(page.get('nav.rail a').attributes()).toMatchObject({ href: '/board', 'aria-current': 'page' })
  page.unmount()
})

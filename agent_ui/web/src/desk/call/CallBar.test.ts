import { createTranslations } from '@desk/i18n'
import ui from '@nuxt/ui/vue-plugin'
import { DeviceFault } from '@shared/call/devices'
import { callOf, leg } from '@shared/call/fakes'
import { noMedia, type MediaState } from '@shared/call/media'
import type { CallView } from '@shared/call/model'
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import CallBar from './CallBar.vue'

const customer = leg('a', { party: 'customer', agent: null, name: '佐藤' })
const agent = leg('b', { name: '高橋' })
const joined: MediaState = { ...noMedia, joined: true, links: new Map([['a', 'connected']]) }
const call = (change: Partial<CallView> = {}): CallView => callOf([['a', 'b'], ['b', 'a']], { legs: [customer, agent], ...change })

async function bar(given: CallView, media = joined, more: object = {}, locale: 'en' | 'ja' = 'ja') {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: CallBar }] })
  const plugins = [createPinia(), router, await createTranslations(locale), ui]
  const props = { call: given, me: given.legs.find(({ id }) => id === 'b') ?? null, media, levels: new Map(), lostAt: new Map(), supervises: false }
  const page = mount(CallBar, { props: { ...props, ...more }, global: { plugins } })
  const button = (name: string) => page.findAll('button').find((each) => each.text().startsWith(name))
  const buttons = () => page.findAll('.controls button').map((each) => each.text())
  return { page, button, buttons }
}

test('a talk: the tile, and the controls in their order', async () => {
  const { page, buttons } = await bar(call())
  expect(page.get('.leg').text()).toContain('佐藤 様')
  expect(page.get('.leg').classes()).toContain('connected')
  expect(buttons()).toEqual(['消音', '保留', '相談', '転送', '通話を預ける', '画面を見せる', '終話'])
  expect(page.get('[aria-live=polite]').text()).toBe('佐藤 通話中')
})

test('a customer without a name on the line is called as their conversation does', async () => {
  const { page } = await bar(call({ legs: [{ ...customer, name: '' }, agent] }), joined, { customer: '佐藤 美咲' })
  expect(page.get('.leg b').text()).toBe('佐藤 美咲 様')
  expect(page.get('[aria-live=polite]').text()).toBe('佐藤 美咲 通話中')
  await page.setProps({ customer: '' })
  expect(page.get('.leg b').text()).toBe('お客様')
})

test('what the provider could not do is told for a while, and whether it is tried again', async () => {
  const trouble = { what: 'hold', leg: 'a', again: true, at: new Date().toISOString() }
  const { page } = await bar(call({ by: 'phone', trouble }))
  expect(page.get('[role=alert]').text()).toBe('電話会社側でまだ処理できていません。もう一度試しています。')
  await page.setProps({ call: call({ by: 'phone', trouble: { ...trouble, again: false } }) })
  expect(page.get('[role=alert]').text()).toBe('電話会社に受け付けられなかったため、通話の状態は変わっていません。')
  await page.setProps({ call: call({ by: 'phone', trouble: { ...trouble, at: '2026-11-26T05:00:00Z' } }) })
  expect(page.find('[role=alert]').exists()).toBe(false)
})

test('the own fault goes before what the provider could not do', async () => {
  const trouble = { what: 'hold', leg: 'a', again: false, at: new Date().toISOString() }
  const media: MediaState = { ...noMedia, fault: new DeviceFault('microphone', 'missing') }
  const { page } = await bar(call({ by: 'phone', trouble }), media)
  expect(page.findAll('[role=alert]').map((each) => each.text().slice(0, 4))).toEqual(['マイク：'])
})

test('while somebody rings there is an outline and no level', async () => {
  const { page } = await bar(call({ legs: [{ ...customer, state: 'ringing' }, agent] }))
  expect(page.get('.leg').classes()).toContain('ringing')
  expect(page.find('.bars').exists()).toBe(false)
})

test('on hold: the tile says so, and resuming is filled', async () => {
  const { page, button } = await bar(call({ legs: [{ ...customer, held: true, held_at: '2026-11-26T05:01:00Z' }, agent] }))
  expect(page.get('.leg').text()).toContain('保留中')
  expect(button('保留を解除')?.attributes('aria-pressed')).toBe('true')
  await button('保留を解除')?.trigger('click')
  expect(page.emitted('act')).toEqual([['resume', 'a']])
})

test('muted: the button is filled, and speech is answered with a tip', async () => {
  const muted = call({ legs: [customer, { ...agent, muted: true }] })
  const { page, button } = await bar(muted, joined, { speaking: true })
  expect(button('消音中')?.classes()).toContain('filled')
  expect(page.text()).toContain('消音中です。声は相手に届いていません。')
})

test('consulting: two tiles, and its three acts', async () => {
  const legs = [{ ...customer, held: true }, agent, leg('e', { party: 'expert', name: '中村' })]
  const { page, buttons } = await bar(call({ legs }))
  expect(page.findAll('.leg').map((each) => each.get('b').text())).toEqual(['佐藤 様', '中村さん'])
  expect(buttons()).toEqual(['消音', '保留を解除', '全員で話す', '相談をやめる', '転送を終える', '画面を見せる', '終話'])
})

test('a lost connection is named with its time', async () => {
  const media: MediaState = { ...joined, links: new Map([['a', 'reconnecting']]) }
  const { page } = await bar(call(), media, { lostAt: new Map([['a', Date.now()]]) })
  expect(page.get('.leg').classes()).toContain('reconnecting')
  expect(page.get('.leg').text()).toContain('つなぎ直しています')
})

test('a paused recording says for how long', async () => {
  const { page } = await bar(call({ recording: 'paused', timeline: [{ at: new Date().toISOString(), kind: 'recording', leg: null, by_name: '', data: {} }] }))
  expect(page.text()).toContain('録音停止中 0:00')
})

test('a recorded call can be stopped from being recorded, and goes on', async () => {
  const { page, button } = await bar(call({ recording: 'on' }))
  expect(page.text()).toContain('録音中')
  await button('録音を止める')?.trigger('click')
  await page.setProps({ call: call({ recording: 'paused' }) })
  await button('録音を続ける')?.trigger('click')
  expect(page.emitted('act')).toEqual([['pause', ''], ['record', '']])
})

test('a device fault names the device, the reason and what to do', async () => {
  const media: MediaState = { ...noMedia, fault: new DeviceFault('microphone', 'refused') }
  const { page, button } = await bar(call(), media)
  expect(page.get('[role=alert]').text()).toContain('マイク：使用が許可されていません。')
  await button('もう一度試す')?.trigger('click')
  expect(page.emitted('act')).toEqual([['join', '']])
})

test('a call that another window carries can be taken here', async () => {
  const { page, button } = await bar(call(), noMedia)
  expect(page.text()).toContain('この通話は別の画面でつながっています。')
  await button('この画面で話す')?.trigger('click')
  expect(page.emitted('act')).toEqual([['join', '']])
})

test('a telephone call has a keypad, whose tones go out by the keyboard too', async () => {
  const { page, button } = await bar(call({ by: 'phone' }), noMedia)
  expect(page.text()).not.toContain('別の画面')
  await button('番号入力')?.trigger('click')
  await page.get('.pad').trigger('keydown', { key: '5' })
  await page.get('.pad').findAll('button').at(-1)?.trigger('click')
  expect(page.emitted('act')).toEqual([['digits', '5'], ['digits', '#']])
})

test('a supervisor who looks on may listen, whisper and barge in, and nothing else', async () => {
  const { page, buttons, button } = await bar(call(), noMedia, { me: null, supervises: true }, 'en')
  expect(buttons()).toEqual(['Listen', 'Whisper', 'Barge in'])
  await button('Whisper')?.trigger('click')
  expect(page.emitted('act')).toEqual([['supervise', 'whisper']])
})

test('a bad connection is said', async () => {
  const { page } = await bar(call(), { ...joined, quality: 'poor' }, {}, 'en')
  expect(page.text()).toContain('Unstable connection')
})

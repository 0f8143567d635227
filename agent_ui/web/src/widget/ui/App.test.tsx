import { act, fireEvent, screen } from '@testing-library/preact'
import { expect, test } from 'vitest'
import { conversation, message, told } from '../state/samples'
import { about, kept, later } from '../talk/fakes'
import { button, field, setUp, settled, show, stage, talk } from './stage'

setUp()

test('the launcher opens home; a topic begins a talk and goes with its first text', async () => {
  await show()
  fireEvent.click(button('チャットを開く'))
  expect(screen.getByRole('dialog', { name: 'お問い合わせ' })).toBeTruthy()
  expect(stage.wire.auth).toBeUndefined()
  fireEvent.click(button('返品窓口'))
  fireEvent.input(field(), { target: { value: 'ふたが割れていました' } })
  fireEvent.keyDown(field(), { key: 'Enter' })
  await settled()
  await act(async () => {
    stage.wire.hears.up()
    await later()
  })
  expect(stage.wire.bodies('send')).toMatchObject([{ text: 'ふたが割れていました', topic: 'returns' }])
  expect(field().value).toBe('')
})

test('Enter does not send while the IME composes, nor with Shift', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  fireEvent.input(field(), { target: { value: 'かんじ' } })
  fireEvent.keyDown(field(), { key: 'Enter', isComposing: true })
  fireEvent.keyDown(field(), { key: 'Enter', keyCode: 229 })
  fireEvent.keyDown(field(), { key: 'Enter', shiftKey: true })
  fireEvent.keyDown(field(), { key: 'Escape', isComposing: true })
  await settled()
  expect(stage.wire.bodies('send')).toEqual([])
  fireEvent.keyDown(field(), { key: 'Enter' })
  await settled()
  expect(stage.wire.bodies('send')).toMatchObject([{ text: 'かんじ' }])
})

test('closing gives the focus back; the text that was typed is there again', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  expect(document.activeElement).toBe(field())
  fireEvent.input(field(), { target: { value: '書きかけ' } })
  fireEvent.keyDown(field(), { key: 'Escape' })
  await settled()
  expect(screen.queryByRole('dialog')).toBeNull()
  expect(document.activeElement).toBe(button(/チャットを開く/))
  fireEvent.click(button(/チャットを開く/))
  expect(field().value).toBe('書きかけ')
})

test('what was not read is counted on the launcher until it is looked at', async () => {
  await talk()
  await act(() => stage.wire.hears.event('event', told(2, 1, message('m2'))))
  fireEvent.click(button('チャットを開く（未読1件）'))
  await settled()
  fireEvent.keyDown(field(), { key: 'Escape' })
  expect(button('チャットを開く')).toBeTruthy()
})

test('texts are texts: no markup, and only http addresses become links', async () => {
  const text = '<img src=x onerror=alert(1)> https://example.com/a。javascript:alert(1)'
  await talk()
  fireEvent.click(button(/チャットを開く/))
  await act(() =>
    stage.wire.hears.event('event', told(2, 1, message('m2', { parts: [{ type: 'text', text }] }))),
  )
  expect(document.querySelector('img')).toBeNull()
  const links = [...document.querySelectorAll('a')]
  expect(links.map((a) => [a.href, a.rel])).toEqual([
    ['https://example.com/a', 'noopener noreferrer nofollow'],
  ])
})

test('a lost connection says so and keeps what is sent meanwhile', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  await act(() => stage.wire.hears.down())
  expect(screen.getByText('つなぎ直しています。書いた内容は残っています。')).toBeTruthy()
  fireEvent.input(field(), { target: { value: '助かります' } })
  fireEvent.keyDown(field(), { key: 'Enter' })
  expect(screen.getByText(/つながったら送ります/)).toBeTruthy()
  expect(kept().outbox()).toMatchObject([{ text: '助かります' }])
})

test('who waits sees the place in line; an ended talk can begin again', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  await act(() => stage.wire.hears.event('event', told(2, 1, conversation({ version: 2 }))))
  await act(() => stage.wire.hears.event('position', { position: 3, nobody: false }))
  expect(screen.getByText('3').parentElement?.textContent).toBe('3番目にご案内します')
  expect(screen.queryByText(/予想待ち時間/)).toBeNull()
  await act(() => stage.wire.hears.event('position', { position: 2, nobody: false, wait_min: 3 }))
  expect(screen.getByText('予想待ち時間：約3分')).toBeTruthy()
  await act(() => stage.wire.hears.event('position', { position: 2, nobody: false, wait_min: 61 }))
  expect(screen.getByText('予想待ち時間：1時間以上')).toBeTruthy()
  await act(() => stage.wire.hears.event('position', { position: null, nobody: true }))
  expect(button('連絡先を残す')).toBeTruthy()
  const closed = conversation({ version: 3, state: 'closed' })
  await act(() => stage.wire.hears.event('event', told(3, 2, closed)))
  fireEvent.click(button('新しく相談する'))
  expect(field()).toBeTruthy()
})

test.each([
  ['ja', 'チャットを開く', 'みなと珈琲店', 'ja'],
  ['en', 'Open chat', 'Minato Coffee', 'en'],
])('a visitor who reads %s reads the site by that name', async (language, open, name, lang) => {
  await show([language])
  fireEvent.click(button(open))
  expect(screen.getByText(name).lang).toBe(lang)
  expect(screen.queryByText(name === 'みなと珈琲店' ? 'Minato Coffee' : 'みなと珈琲店')).toBeNull()
})

test('a site without an English name keeps its own, in its own language', async () => {
  stage.rest.site = { ...about, name_en: about.name }
  await show(['en'])
  fireEvent.click(button('Open chat'))
  expect(screen.getByText(about.name).lang).toBe('ja')
})

test('the language can be changed and is remembered', async () => {
  await show()
  fireEvent.click(button('チャットを開く'))
  fireEvent.change(screen.getByLabelText('言語'), { target: { value: 'en' } })
  expect(button('Chat with us')).toBeTruthy()
  expect(kept().get('language')).toBe('en')
})

test("the open widget follows the page's language; its switch is newer than the visitor's own", async () => {
  const counter = await show(['ja'])
  fireEvent.click(button('チャットを開く'))
  await act(() => counter.follows(['en-GB', 'ja']))
  expect(document.querySelector('.all')?.getAttribute('lang')).toBe('en')
  expect(screen.getByRole('dialog', { name: 'Contact us' })).toBeTruthy()
  await act(() => counter.speak('ja'))
  await act(() => counter.follows(['en', 'ja']))
  expect(document.querySelector('.all')?.getAttribute('lang')).toBe('ja')
  await act(() => counter.follows(['ja']))
  await act(() => counter.follows(['en']))
  expect(document.querySelector('.all')?.getAttribute('lang')).toBe('en')
  expect(counter.kept.get('language')).toBeNull()
})

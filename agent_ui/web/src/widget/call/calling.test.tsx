import { act, cleanup, fireEvent, screen } from '@testing-library/preact'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { later } from '../talk/fakes'
import { agent, CallStage, customer, seen, waiting } from './stage'

let stage: CallStage
const button = (name: string) => screen.getByRole('button', { name })
const press = (name: string) => act(async () => {
  fireEvent.click(button(name))
  await later(5)
})

beforeEach(() => {
  localStorage.clear()
  stage = new CallStage()
  vi.stubGlobal('MediaStream', class {})
  HTMLMediaElement.prototype.play = () => Promise.resolve()
})
afterEach(async () => {
  await act(() => stage.calling.hangUp())
  cleanup()
  await new Promise(requestAnimationFrame)
  vi.unstubAllGlobals()
})

test('a call begins with a look at the microphone, waits with music, and talks', async () => {
  await stage.open()
  stage.show()
  await press('電話で話す')
  expect(screen.getByText(/話してみてください/)).toBeTruthy()
  await press('この設定で話す')
  const [asked] = stage.wire.bodies('call')
  expect(asked).toMatchObject({ act: 'start', media: 'voice' })
  await stage.tell(waiting({ id: String(asked?.['id']) }))
  expect(screen.getByText('担当者を呼び出しています')).toBeTruthy()
  expect(stage.music).toBe(1)
  await stage.tell(seen({ id: String(asked?.['id']), version: 2 }))
  expect(screen.getByText('高橋とお話し中')).toBeTruthy()
  expect(stage.music).toBe(0)
})

test('who is held hears music and is told so', async () => {
  await stage.open()
  const id = await stage.begin()
  stage.show()
  await stage.tell(seen({ id }))
  await stage.tell(seen({ id, version: 2, legs: [customer({ held: true }), agent], hears: [] }))
  expect(screen.getByText('保留中です')).toBeTruthy()
  expect(stage.music).toBe(1)
  await stage.tell(seen({ id, version: 3 }))
  expect(stage.music).toBe(0)
})

test('a refused microphone is named, with the chat as the way on', async () => {
  stage.refuse = { audio: 'NotAllowedError' }
  await stage.open()
  stage.show()
  await press('電話で話す')
  expect(screen.getByRole('alert').textContent).toContain('マイクの使用が許可されていません')
  await press('チャットで相談する')
  expect(stage.counter.screen.value.view).toBe('chat')
  expect(stage.calling.check.store.value).toBeNull()
})

test('without a camera a video call becomes one of voices', async () => {
  stage.refuse = { video: 'NotFoundError' }
  await stage.open()
  stage.show()
  await press('ビデオで話す')
  expect(screen.getByRole('alert').textContent).toContain('カメラが見つかりません')
  await press('音声だけで話す')
  expect(stage.wire.bodies('call')[0]).toMatchObject({ act: 'start', media: 'voice' })
})

test('muting is done here at once and told to the hub; the camera too', async () => {
  await stage.open()
  const id = await stage.begin('video')
  stage.show()
  await stage.tell(seen({ id, channel: 'video', legs: [customer({ video: true }), agent] }))
  await press('消音')
  expect(stage.given.find((one) => one.kind === 'audio' && !one.stopped)?.enabled).toBe(false)
  await press('カメラを止める')
  expect(stage.acts).toEqual(['start', ['video', true], 'mute', ['video', false]])
})

test('hanging up lets the microphone go and the end is shown once', async () => {
  await stage.open()
  const id = await stage.begin()
  stage.show()
  await stage.tell(seen({ id }))
  await press('電話を切る')
  await stage.tell(seen({ id, version: 2, state: 'ended', why: 'hung_up' }))
  expect(stage.given.every(({ stopped }) => stopped)).toBe(true)
  expect(stage.acts).toEqual(['start', 'end'])
  expect(screen.getByText('通話が終了しました')).toBeTruthy()
  await press('閉じる')
  expect(button('電話で話す')).toBeTruthy()
})

test('after a reload the same tab talks on', async () => {
  stage.kept.set('madoguchi:call', 'call')
  await stage.open('voice', [seen()])
  expect(stage.calling.store.value).toMatchObject({ here: true, media: { joined: true } })
})

test('another tab only says where the call is, and can take it', async () => {
  await stage.open('voice', [seen()])
  stage.show()
  expect(stage.given).toEqual([])
  await press('このタブで話す')
  expect(stage.calling.store.value).toMatchObject({ here: true, media: { joined: true } })
})

test('while the panel is closed a pill keeps the call at hand', async () => {
  await stage.open()
  const id = await stage.begin()
  stage.show()
  await stage.tell(seen({ id }))
  act(() => stage.counter.close())
  expect(screen.getByRole('region', { name: '通話' })).toBeTruthy()
})

test('a call that the hub refuses can be tried again', async () => {
  await stage.open()
  stage.wire.answers['call'] = () => ({ ok: false, code: 'no_calls' })
  await stage.begin()
  stage.show()
  expect(screen.getByRole('alert').textContent).toContain('おつなぎできませんでした')
  expect(stage.kept.size).toBe(0)
})

test('a call keeps the socket while the panel is closed, and is found again by a reload', async () => {
  await stage.open()
  const id = await stage.begin()
  await stage.tell(waiting({ id }))
  act(() => stage.counter.close())
  expect(stage.wire.closed).toBe(false)
  expect(stage.counter.kept.get('unfinished')).toBe('1')
  await stage.tell(waiting({ id, version: 2, state: 'ended' }))
  expect(stage.counter.kept.get('unfinished')).toBeNull()
})

test('who agrees to a recording says so with the call', async () => {
  stage.recording = { when: 'agreed', text: '', text_en: '' }
  await stage.open()
  stage.show()
  await press('電話で話す')
  fireEvent.click(screen.getByRole('checkbox', { name: '録音に同意する' }))
  await press('この設定で話す')
  expect(stage.acts).toEqual(['start', 'agree'])
})

test('after the call one may say how it was, once', async () => {
  await stage.open()
  const id = await stage.begin()
  stage.show()
  await stage.tell(seen({ id }))
  const survey = { from: 1, to: 5, text: '', text_en: '' }
  await stage.tell(seen({ id, version: 2, state: 'ended', why: 'hung_up', survey }))
  await press('4')
  expect(stage.wire.bodies('call').at(-1)).toEqual({ id, act: 'score', value: 4 })
  expect(screen.queryByRole('button', { name: '4' })).toBeNull()
})

test('what is asked after a call is asked again after a reload, until it is answered or put away', async () => {
  const over = seen({ state: 'ended', why: 'hung_up', survey: { from: 1, to: 5, text: '', text_en: '' } })
  await stage.open('voice', [over])
  stage.show()
  expect(button('4')).toBeTruthy()
  await press('閉じる')
  expect(screen.queryByRole('button', { name: '4' })).toBeNull()
  cleanup()
  const again = new CallStage()
  again.kept.set('madoguchi:call:read', String(stage.kept.get('madoguchi:call:read')))
  stage = again
  await stage.open('voice', [over])
  stage.show()
  expect(screen.queryByRole('button', { name: '4' })).toBeNull()
})

test('a call that ended while nobody looked and that asks nothing is not shown', async () => {
  await stage.open('voice', [seen({ state: 'ended', why: 'hung_up', survey: null })])
  expect(stage.calling.store.value.call).toBeNull()
})

test('a site for voices shows no camera', async () => {
  await stage.open('voice')
  stage.show()
  expect(screen.queryByRole('button', { name: 'ビデオで話す' })).toBeNull()
})

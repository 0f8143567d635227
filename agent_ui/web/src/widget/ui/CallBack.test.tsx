import { act, fireEvent, screen } from '@testing-library/preact'
import { expect, test } from 'vitest'
import type { Callback } from '../state/model'
import { conversation, mine, snapshot, told } from '../state/samples'
import { button, setUp, settled, show, stage } from './stage'

setUp()

const call = (change: Partial<Callback> = {}): Callback => ({ state: 'offered', number: null, shown: null, calls: 0, next_at: null, ...change })
const number = () => screen.getByRole<HTMLInputElement>('textbox', { name: /お電話番号/ })

/** A visitor waits, and a call is offered. */
async function waits(callback: Callback) {
  localStorage.setItem('madoguchi:shop:token', 't')
  localStorage.setItem('madoguchi:shop:unfinished', '1')
  stage.wire.answers['hello'] = () => snapshot(1, { conversation: conversation({ callback }), messages: [mine('m1')] })
  const counter = await show()
  await act(async () => stage.wire.hears.up())
  await act(async () => counter.open())
  await settled()
}

const becomes = (callback: Callback, version: number) =>
  act(async () => stage.wire.hears.event('event', told(version, version - 1, conversation({ callback, version }))))

test('a call is asked for, a wrong number is told, the wish is changed and taken back', async () => {
  await waits(call())
  expect(button('折り返しを頼む')).toHaveProperty('disabled', true)
  stage.wire.answers['callback'] = () => ({ ok: false, code: 'wrong_number' })
  fireEvent.input(number(), { target: { value: '119' } })
  fireEvent.click(button('折り返しを頼む'))
  await settled()
  expect(screen.getByText(/おかけできません/)).toBeTruthy()
  stage.wire.answers['callback'] = () => ({ ok: true })
  fireEvent.input(number(), { target: { value: '09012345678' } })
  fireEvent.click(button('折り返しを頼む'))
  await settled()
  expect(stage.wire.bodies('callback').at(-1)).toEqual({ act: 'ask', number: '09012345678' })
  await becomes(call({ state: 'asked', number: '+819012345678', shown: '090-1234-5678' }), 2)
  expect(number().value).toBe('090-1234-5678')
  expect(button('折り返しを頼む')).toHaveProperty('disabled', true)
  fireEvent.click(button('チャットで待つ'))
  expect(stage.wire.bodies('callback').at(-1)).toMatchObject({ act: 'cancel' })
})

test('who keeps waiting may ask after all', async () => {
  await waits(call())
  fireEvent.click(button('チャットで待つ'))
  expect(stage.wire.bodies('callback')).toMatchObject([{ act: 'cancel' }])
  await becomes(call({ state: 'declined' }), 2)
  fireEvent.click(button('折り返しを頼む'))
  await settled()
  expect(number().value).toBe('')
})

test('who waits for a call cannot end the talk by mistake, and is shown no place between two calls', async () => {
  await waits(call({ state: 'asked', shown: '090-1234-5678', next_at: '2026-11-27T02:00:00Z' }))
  fireEvent.click(button('メニュー'))
  expect(screen.queryByRole('button', { name: '会話を終了する' })).toBeNull()
  expect(screen.queryByText('順番にご案内します')).toBeNull()
})

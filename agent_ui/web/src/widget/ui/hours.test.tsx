import { act, fireEvent, screen } from '@testing-library/preact'
import { expect, test, vi } from 'vitest'
import { conversation, message, mine, snapshot } from '../state/samples'
import { about, later } from '../talk/fakes'
import { button, setUp, show, stage } from './stage'

setUp()

const closed = { ...about, open: false, opens: '2026-11-27T00:00:00Z' }

test('outside the hours home says when it opens, and follows without a reload', async () => {
  // Not a faked clock: the window's animation frames live on the same intervals.
  const every = vi.spyOn(globalThis, 'setInterval')
  stage.rest.site = closed
  await show()
  fireEvent.click(button('チャットを開く'))
  expect(screen.getByText('ただいま営業時間外です', { exact: false })).toBeTruthy()
  expect(screen.getByText('次の受付は 11月27日（金） 9:00 からです')).toBeTruthy()
  expect(button('メッセージを残す')).toBeTruthy()
  stage.rest.site = about
  const again = every.mock.calls.find(([, ms]) => ms !== undefined && ms >= 1_000 && ms <= 60_000)
  await act(async () => {
    ;(again?.[0] as () => void)()
    await later()
  })
  expect(screen.getByText('ただいま受付中')).toBeTruthy()
  expect(button('チャットで相談する')).toBeTruthy()
  every.mockRestore()
})

test('a topic that is open can be chosen while the site is closed', async () => {
  const other = { key: 'orders', open: false, name: 'ご注文', name_en: 'Orders' }
  stage.rest.site = { ...closed, topics: [...about.topics, other] }
  await show(['en'])
  fireEvent.click(button('Open chat'))
  expect(screen.getByText('We open again on Fri 27 Nov, 9:00')).toBeTruthy()
  expect(button('Orders Closed')).toBeTruthy()
  expect(button('Returns')).toBeTruthy()
})

test('who waits outside the hours is told so, not a place in line', async () => {
  stage.rest.site = closed
  localStorage.setItem('madoguchi:shop:token', 't')
  localStorage.setItem('madoguchi:shop:unfinished', '1')
  const words = '明日 9:00 からお返事します。'
  const parts = [{ type: 'text' as const, text: words }]
  const automatic = message('m2', { author: 'system', agent: '', parts })
  stage.wire.answers['hello'] = () =>
    snapshot(1, { conversation: conversation(), messages: [mine('m1'), automatic] })
  await show()
  await act(async () => {
    stage.wire.hears.up()
    await later()
  })
  fireEvent.click(button('チャットを開く（未読1件）'))
  expect(screen.getByText(words)).toBeTruthy()
  expect(screen.getByText('ただいま営業時間外です')).toBeTruthy()
  expect(screen.getByText('次の受付は 11月27日（金） 9:00 からです')).toBeTruthy()
})

test.each([
  [null, null],
  [0, 'すぐにご案内できます'],
  [4, '予想待ち時間：約4分'],
  [90, '予想待ち時間：1時間以上'],
])('home says how long a new contact would wait: %s', async (minutes, words) => {
  stage.rest.site = { ...about, wait_min: minutes }
  await show()
  fireEvent.click(button('チャットを開く'))
  expect(screen.getByRole('status').textContent).toBe(`ただいま受付中${words ?? ''}`)
})

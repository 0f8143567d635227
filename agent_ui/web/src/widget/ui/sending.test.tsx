import { fireEvent, screen } from '@testing-library/preact'
import { expect, test } from 'vitest'
import { about } from '../talk/fakes'
import { Fault } from '../talk/rest'
import { button, choose, field, setUp, settled, show, stage, talk } from './stage'

setUp()

test('empty and large files are refused with the reason and the text is kept', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  fireEvent.input(field(), { target: { value: 'こちらです' } })
  choose(new File([], '空.txt'), new File(['x'.repeat(1001)], '大.jpg'), new File(['x'], 'ok.jpg'))
  expect(screen.getByText(/「空.txt」は中身が空/)).toBeTruthy()
  expect(screen.getByText(/「大.jpg」は大きすぎ/)).toBeTruthy()
  expect([field().value, screen.getByText('ok.jpg').tagName]).toEqual(['こちらです', 'B'])
  fireEvent.click(button('送信'))
  await settled()
  expect(stage.wire.bodies('send')).toMatchObject([{ text: 'こちらです', files: ['stored-ok.jpg'] }])
})

test('a file that the hub refuses says why; discarding gives the text back', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  stage.rest.fault = new Fault('too_large', 413)
  choose(new File(['x'], 'ok.jpg'))
  fireEvent.input(field(), { target: { value: 'こちらです' } })
  fireEvent.click(button('送信'))
  await settled()
  expect(screen.getByText(/「ok.jpg」は大きすぎ/)).toBeTruthy()
  fireEvent.click(button('取り消す'))
  expect([field().value, stage.wire.bodies('send')]).toEqual(['こちらです', []])
})

test('a file that the network broke off can be sent again', async () => {
  await talk()
  fireEvent.click(button(/チャットを開く/))
  stage.rest.fault = new Fault('network')
  choose(new File(['x'], 'ok.jpg'))
  fireEvent.click(button('送信'))
  await settled()
  stage.rest.fault = null
  fireEvent.click(button('もう一度送る'))
  await settled()
  expect(stage.wire.bodies('send')).toMatchObject([{ files: ['stored-ok.jpg'] }])
})

test('while nobody is there a form takes the message; repeating it repeats its id', async () => {
  stage.rest.site = { ...about, online: false }
  await show(['en-GB'])
  fireEvent.click(button('Open chat'))
  fireEvent.click(button('Leave a message'))
  fireEvent.click(button('Send'))
  expect(screen.getByText('Please write a message.')).toBeTruthy()
  fireEvent.input(screen.getByLabelText(/Email/), { target: { value: 'a@example.com' } })
  fireEvent.input(screen.getByLabelText('Message'), { target: { value: 'Do you sell lids?' } })
  localStorage.setItem('madoguchi:shop:token', 't')
  stage.rest.fault = new Fault('network')
  fireEvent.click(button('Send'))
  await settled()
  expect(screen.getByText(/What you wrote is kept/)).toBeTruthy()
  stage.rest.fault = null
  fireEvent.click(button('Send'))
  await settled()
  expect(screen.getByText('We have your message.')).toBeTruthy()
  expect(stage.rest.forms.map(({ text, language }) => [text, language])).toEqual([
    ['Do you sell lids?', 'en'],
    ['Do you sell lids?', 'en'],
  ])
  expect(stage.rest.forms[0]?.id).toBe(stage.rest.forms[1]?.id)
})

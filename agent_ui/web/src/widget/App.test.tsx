import { fireEvent, render, screen } from '@testing-library/preact'
import { expect, test } from 'vitest'
import { App } from './App'
import type { Connect } from './connection'
import { wordsFor } from './words'

const connected: Connect = (_origin, onState) => {
  onState('connected')
  return { close: () => undefined }
}

test('the launcher opens the panel, which tells the state of the connection', async () => {
  const { words } = wordsFor(['ja-JP'])
  render(<App connect={connected} origin="http://127.0.0.1:9" words={words} />)
  fireEvent.click(screen.getByRole('button', { name: 'チャットを開く' }))
  expect(await screen.findByRole('dialog', { name: 'お問い合わせ' })).toBeTruthy()
  expect((await screen.findByRole('status')).textContent).toBe('つながりました。')
  fireEvent.click(screen.getByRole('button', { name: '閉じる' }))
  expect(screen.queryByRole('dialog')).toBeNull()
})

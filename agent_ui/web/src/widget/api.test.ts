import { expect, test, vi } from 'vitest'
import { expose } from './api'
import type { Counter } from './talk/counter'

test('calls wait until the widget is there, also those from before the script', async () => {
  const calls: unknown[] = []
  const claim = { id: '7', name: '', phone: '', mail: '', issued_at: '', signature: '' }
  const counter = {
    open: () => calls.push('open'),
    close: () => calls.push('close'),
    identify: (it: unknown) => calls.push(it),
    describe: (it: unknown) => calls.push(it),
    reset: () => calls.push('reset'),
  } as unknown as Counter
  const page = { Madoguchi: [['identify', claim], ['describe', { product: 'kettle' }], ['open']] } as unknown as Window
  let ready: (counter: Counter) => void = () => undefined
  const api = expose(page, new Promise((resolve) => (ready = resolve)))
  api.close()
  const reset = api.reset()
  expect(calls).toEqual([])
  ready(counter)
  await reset
  await vi.waitFor(() => expect(calls).toEqual([claim, { product: 'kettle' }, 'open', 'close', 'reset']))
})

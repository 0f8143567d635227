import { act, cleanup, fireEvent, render, screen } from '@testing-library/preact'
import { afterEach, beforeEach, vi } from 'vitest'
import { conversation, mine, snapshot } from '../state/samples'
import { Counter } from '../talk/counter'
import { FakeRest, FakeWire, kept, later } from '../talk/fakes'
import { App } from './App'

/** The widget on a page with a fake hub; for tests. */
export const stage = { wire: new FakeWire(), rest: new FakeRest() }

export const button = (name: string | RegExp) => screen.getByRole('button', { name })
export const field = () =>
  screen.getByRole<HTMLTextAreaElement>('textbox', { name: /書く|Write/ })
export const settled = () => act(() => later(20))

export async function show(languages = ['ja']): Promise<Counter> {
  const page = () => ({ url: 'https://shop.example/', title: 'Shop' })
  const { rest, wire } = stage
  const ports = { rest, connect: wire.connect, kept: kept(), account: 'shop', page }
  const counter = new Counter(ports, languages)
  render(<App counter={counter} />)
  await act(() => counter.start())
  return counter
}

/** A talk that an agent has taken. */
export async function talk(): Promise<void> {
  localStorage.setItem('madoguchi:shop:token', 't')
  localStorage.setItem('madoguchi:shop:unfinished', '1')
  const talking = conversation({ state: 'talking', agent: '高橋' })
  stage.wire.answers['hello'] = () =>
    snapshot(1, { conversation: talking, messages: [mine('m1')] })
  await show()
  await act(async () => {
    stage.wire.hears.up()
    await later()
  })
}

/** The visitor chooses files. */
export function choose(...files: File[]): void {
  const input = document.querySelector<HTMLInputElement>('input[type=file]')!
  Object.defineProperty(input, 'files', { value: files, configurable: true })
  Object.defineProperty(input, 'value', { value: '', writable: true, configurable: true })
  fireEvent.change(input)
}

export function setUp(): void {
  beforeEach(() => {
    localStorage.clear()
    stage.wire = new FakeWire()
    stage.rest = new FakeRest()
    vi.stubGlobal('matchMedia', () => ({ matches: false }))
    Element.prototype.scrollTo ??= () => undefined
  })
  afterEach(async () => {
    cleanup()
    // Effects that wait for the next frame look for a window, which is gone after the last test.
    await new Promise(requestAnimationFrame)
    vi.unstubAllGlobals()
  })
}

import { afterEach, expect, test, vi } from 'vitest'
import { call, Problem } from './api'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** A hub whose first connections take questions and are silent; `over` lets their patience end. */
function silent(connections: number) {
  const asked: string[] = []
  const patience: AbortController[] = []
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    patience.push(new AbortController())
    return patience.at(-1)!.signal
  })
  vi.stubGlobal('fetch', (path: string, { method, signal }: RequestInit) => {
    asked.push(`${method} ${path}`)
    if (asked.length > connections) return Promise.resolve(new Response('{"number":1}', { headers: { 'Content-Type': 'application/json' } }))
    return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)))
  })
  return { asked, over: () => patience.at(-1)!.abort(new DOMException('', 'TimeoutError')) }
}

test('what only reads is asked again where a connection is silent', async () => {
  const { asked, over } = silent(2)
  const answer = call('GET', '/config')
  over()
  await vi.waitFor(() => expect(asked).toHaveLength(2))
  over()
  expect(await answer).toEqual({ number: 1 })
})

test('what changes something is not: nobody knows whether it was done', async () => {
  const { asked, over } = silent(2)
  const answer = call('POST', '/offers/1/accept').catch((problem: unknown) => problem)
  over()
  expect(await answer).toMatchObject({ status: 0, code: 'unreachable' })
  expect(await answer).toBeInstanceOf(Problem)
  expect(asked).toHaveLength(1)
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from './api'
import { Outbox, type Outgoing, type Refusal } from './outbox'
import { uuid7 } from './uuid7'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const made = (id: string, conversation = 'a'): Omit<Outgoing, 'state'> => ({
  id, conversation, mode: 'reply', text: id, files: [], at: '2026-11-22T05:00:00Z',
})

function outbox(faults: (Problem | null)[] = []) {
  const posted: string[] = []
  const refused: Refusal[] = []
  let waiting: readonly Outgoing[] = []
  const box = new Outbox(
    async ({ id }) => {
      posted.push(id)
      const fault = faults.shift()
      if (fault) throw fault
    },
    { changed: (now) => (waiting = now), refused: (given) => refused.push(given) },
  )
  return { box, posted, refused, waiting: () => waiting.map(({ id, state }) => [id, state]) }
}

test('waits while there is no connection, then sends in order', async () => {
  const { box, posted, waiting } = outbox()
  box.add(made('1'))
  box.add(made('2'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(posted).toEqual([])
  expect(waiting()).toEqual([['1', 'queued'], ['2', 'queued']])
  box.resume()
  await vi.advanceTimersByTimeAsync(0)
  expect(posted).toEqual(['1', '2'])
  expect(waiting()).toEqual([])
})

test('a passing fault is tried again with the same id, and nothing overtakes', async () => {
  const { box, posted } = outbox([new Problem(0, 'unreachable', ''), new Problem(503, 'unavailable', '')])
  box.resume()
  box.add(made('1'))
  box.add(made('2'))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(posted).toEqual(['1', '1', '1', '2'])
})

test('what hangs when the connection is lost is sent again after it', async () => {
  const signals: AbortSignal[] = []
  const box = new Outbox(
    (_, signal) => {
      signals.push(signal)
      if (signals.length > 1) return Promise.resolve()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Problem(0, 'unreachable', ''))))
    },
    { changed: () => undefined, refused: () => undefined },
  )
  box.resume()
  box.add(made('1'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(signals).toHaveLength(1)
  box.pause()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(signals).toHaveLength(1)
  box.resume()
  await vi.advanceTimersByTimeAsync(0)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
})

test('a refusal gives the text back and lets the next one go', async () => {
  const { box, posted, refused, waiting } = outbox([new Problem(409, 'newer_answer', '')])
  box.resume()
  box.add(made('1'))
  box.add(made('2'))
  await vi.advanceTimersByTimeAsync(0)
  expect(refused.map(({ outgoing, problem }) => [outgoing.text, problem.code])).toEqual([['1', 'newer_answer']])
  expect(posted).toEqual(['1', '2'])
  expect(waiting()).toEqual([])
})

test('what the stream has shown is not sent again after a reload', async () => {
  const { box, posted, waiting } = outbox()
  box.restore([{ ...made('1'), state: 'sending' }, { ...made('2'), state: 'queued' }])
  expect(waiting()).toEqual([['1', 'queued'], ['2', 'queued']])
  box.arrived('1')
  box.resume()
  await vi.advanceTimersByTimeAsync(0)
  expect(posted).toEqual(['2'])
})

test('a UUIDv7 carries its time and its version', () => {
  const id = uuid7(0x0193_5555_aaaa, (count) => new Uint8Array(count).fill(255))
  expect(id).toBe('01935555-aaaa-7fff-bfff-ffffffffffff')
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from './api'
import { heldOf, Outbox, type Outgoing } from './outbox'
import { uuid7 } from './uuid7'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const made = (id: string, conversation = 'a'): Omit<Outgoing, 'state'> => ({
  id, conversation, mode: 'reply', text: id, files: [], at: '2026-11-22T05:00:00Z',
})

function outbox(faults: (Problem | null)[] = []) {
  const posted: string[] = []
  let waiting: readonly Outgoing[] = []
  const box = new Outbox(
    async ({ id }) => {
      posted.push(id)
      const fault = faults.shift()
      if (fault) throw fault
    },
    { changed: (now) => (waiting = now) },
  )
  const now = () => waiting
  const held = () => [...heldOf(waiting)].map(([conversation, list]) => [conversation, list.map(({ text }) => text)])
  return { box, posted, now, held, waiting: () => waiting.map(({ id, state }) => [id, state]) }
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
    { changed: () => undefined },
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

const newer = () => new Problem(409, 'newer_answer', '', { message: { id: 'theirs' } })
const ids = (...given: string[]) => new Set(given)

test('a refused message stays, and what follows it waits; other conversations go on', async () => {
  const { box, posted, held, now } = outbox([newer()])
  box.add(made('1'))
  box.add(made('2'))
  box.add(made('3', 'b'))
  box.resume()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(posted).toEqual(['1', '3'])
  expect(held()).toEqual([['a', ['1', '2']]])
  expect(now()[0]).toMatchObject({ state: 'refused', why: { status: 409, code: 'newer_answer', facts: { message: { id: 'theirs' } } } })
})

test('a note does not wait for a refused reply', async () => {
  const { box, posted, held } = outbox([newer()])
  box.resume()
  box.add(made('1'))
  box.add({ ...made('2'), mode: 'note' })
  await vi.advanceTimersByTimeAsync(0)
  expect(posted).toEqual(['1', '2'])
  expect(held()).toEqual([['a', ['1']]])
})

test('what is refused survives a reload as it is', async () => {
  const first = outbox([newer()])
  first.box.resume()
  first.box.add(made('1'))
  first.box.add(made('2'))
  await vi.advanceTimersByTimeAsync(0)
  const { box, posted, held } = outbox()
  box.restore(JSON.parse(JSON.stringify(first.now())) as Outgoing[])
  box.resume()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(posted).toEqual([])
  expect(held()).toEqual([['a', ['1', '2']]])
})

test('all are sent after all in the order of writing, as new messages by an author who knows the newest', async () => {
  const { box, posted, now, waiting } = outbox([newer()])
  box.resume()
  box.add({ ...made('1'), newest: 'old' })
  box.add({ ...made('2'), newest: 'old' })
  await vi.advanceTimersByTimeAsync(0)
  box.pause()
  box.again(ids('1', '2'), 'theirs')
  expect(now().map(({ text, newest, why }) => [text, newest, why])).toEqual([['1', 'theirs', undefined], ['2', 'theirs', undefined]])
  const fresh = now().map(({ id }) => id)
  box.resume()
  await vi.advanceTimersByTimeAsync(0)
  expect(posted).toEqual(['1', ...fresh])
  expect(fresh).not.toContain('1')
  expect(waiting()).toEqual([])
})

test('a later one alone may be sent; refused again it stands where it stood', async () => {
  const { box, held, posted } = outbox([newer(), newer()])
  box.resume()
  box.add(made('1'))
  box.add(made('2'))
  box.add(made('3'))
  await vi.advanceTimersByTimeAsync(0)
  box.again(ids('2'))
  await vi.advanceTimersByTimeAsync(0)
  expect(posted).toHaveLength(2)
  expect(held()).toEqual([['a', ['1', '2', '3']]])
})

test('what is taken out is given in order, lets nothing behind it go, and can be put back to its place', async () => {
  const { box, held, posted, now } = outbox([newer()])
  box.resume()
  for (const [at, id] of ['1', '2', '3'].entries()) box.add({ ...made(id), at: `2026-11-22T05:00:0${at}.000Z` })
  await vi.advanceTimersByTimeAsync(0)
  const taken = box.take(ids('2', '1'))
  expect(taken.map(({ text }) => text)).toEqual(['1', '2'])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(posted).toEqual(['1'])
  expect(now()).toMatchObject([{ text: '3', state: 'refused', why: { code: 'newer_answer' } }])
  box.restoreTaken(taken)
  expect(held()).toEqual([['a', ['1', '2', '3']]])
})

test('the end of the session refuses nothing', async () => {
  const { box, posted, waiting } = outbox([new Problem(401, 'not_signed_in', '')])
  box.resume()
  box.add(made('1'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(posted).toEqual(['1'])
  expect(waiting()).toEqual([['1', 'queued']])
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

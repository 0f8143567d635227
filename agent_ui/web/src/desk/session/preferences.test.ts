import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { firstPreferences, fromHub, Keeper, toHub, type Preferences } from './preferences'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function keeper(faults: unknown[] = []) {
  const put: Record<string, unknown>[] = []
  const held: { now: Preferences } = { now: firstPreferences }
  const keep = new Keeper(
    () => held.now,
    async (changed) => {
      put.push(changed)
      const fault = faults.shift()
      if (fault) throw fault
    },
    (error) => error === 'passing',
    (kept) => {
      held.now = kept
      keep.changed()
    },
  )
  const change = (values: Partial<Preferences>): void => {
    held.now = { ...held.now, ...values }
    keep.changed()
  }
  return { keep, put, change, held }
}

test('what was never set is as at first', () => {
  expect(fromHub()).toEqual(firstPreferences)
  expect(fromHub({ letter_keys: false, order: ['page'] })).toEqual({ ...firstPreferences, letterKeys: false, order: ['page'] })
})

test('theme and language that were never set stay as this machine has them, and are not sent', async () => {
  const { keep, put, held } = keeper()
  held.now = { ...firstPreferences, theme: 'dark', language: 'en' }
  keep.take({ language: 'ja' })
  expect(held.now).toEqual({ ...firstPreferences, theme: 'dark', language: 'ja' })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(put).toEqual([])
})

test('what another desk sets is taken over and not sent back', async () => {
  const { keep, put, held } = keeper()
  keep.take({})
  keep.take({ theme: 'dark', order: ['page'] })
  expect(held.now).toMatchObject({ theme: 'dark', order: ['page'] })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(put).toEqual([])
})

test('what another desk sets while this one saves is taken over afterwards, under what this one set', async () => {
  const { keep, put, change, held } = keeper(['passing'])
  keep.take({})
  change({ order: ['page'] })
  keep.take({ theme: 'dark', order: ['open'] })
  expect(held.now).toMatchObject({ theme: 'system', order: ['page'] })
  await vi.advanceTimersByTimeAsync(400)
  expect(held.now.theme).toBe('system')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(held.now).toMatchObject({ theme: 'dark', order: ['page'] })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(put).toEqual([{ order: ['page'] }, { order: ['page'] }])
})

test('only what changed goes to the hub', () => {
  expect(toHub(firstPreferences, firstPreferences)).toBeNull()
  expect(toHub(firstPreferences, { ...firstPreferences, keys: { reply: 'q' } })).toEqual({ keys: { reply: 'q' } })
})

test('changes are kept together, a moment later, and nothing while nobody is signed in', async () => {
  const { keep, put, change } = keeper()
  change({ letterKeys: false })
  await vi.advanceTimersByTimeAsync(10_000)
  expect(put).toEqual([])
  keep.take({})
  change({ order: ['page'] })
  change({ folded: ['open'] })
  keep.take({})
  await vi.advanceTimersByTimeAsync(400)
  expect(put).toEqual([{ order: ['page'], folded: ['open'] }])
  keep.changed()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(put).toHaveLength(1)
})

test('a passing fault is tried again, a refusal is not', async () => {
  const { keep, put, change } = keeper(['passing', 'refused'])
  keep.take({})
  change({ order: ['page'] })
  await vi.advanceTimersByTimeAsync(400 + 5_000)
  expect(put).toHaveLength(2)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(put).toHaveLength(2)
})

test('what was meant for one person never goes to the next', async () => {
  const { keep, put, change } = keeper()
  keep.take({})
  change({ order: ['page'] })
  keep.forget()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(put).toEqual([])
})

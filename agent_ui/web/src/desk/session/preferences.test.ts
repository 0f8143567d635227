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
  )
  const change = (values: Partial<Preferences>): void => {
    held.now = { ...held.now, ...values }
    keep.changed()
  }
  return { keep, put, change }
}

test('what was never set is as at first', () => {
  expect(fromHub()).toEqual(firstPreferences)
  expect(fromHub({ letter_keys: false, order: ['page'] })).toEqual({ ...firstPreferences, letterKeys: false, order: ['page'] })
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
  expect(keep.take({})).toBeNull()
  await vi.advanceTimersByTimeAsync(400)
  expect(put).toEqual([{ letter_keys: false, order: ['page'], folded: ['open'] }])
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

import { expect, test } from 'vitest'
import { clockOf, missing, rowsOf, type HalfHour, type Staffing } from './plan'

const half = (arrivals: number, needed: number | null, own: number): HalfHour => ({
  arrivals, load: arrivals / 10, needed, paid: needed, there: own + 1, own, expected: 0.8, abandoned: 0.02, asa_s: 9, occupancy: 0.7, recorded: null,
})
const night: HalfHour = { ...half(0, 0, 0), there: 0 }

test('the plan goes from the first half hour with anybody to the last', () => {
  const staffing: Staffing = {
    queues: { orders: { target_s: 20, accept_s: 3, handling_s: 180, patience_s: null, at_once: 1, half_hours: [night, half(4, 3, 1), night, half(0, 0, 2), night] } },
    total: [{ ...night, needed: 0, paid: 0, pooled: 0 }, { arrivals: 4, needed: 3, pooled: 2, paid: 4, there: 2 }],
  }
  expect(rowsOf(staffing, 'orders').map(({ at }) => at)).toEqual([1, 2, 3])
  expect(rowsOf(staffing, '').map(({ at, pooled, own }) => [at, pooled, own])).toEqual([[1, 2, 2]])
  expect(rowsOf(staffing, 'gone')).toEqual([])
})

test('who is missing is counted in whole people, and never less than nobody', () => {
  const [row] = rowsOf({ queues: { q: { target_s: 1, accept_s: 0, handling_s: 1, patience_s: 1, at_once: 1, half_hours: [half(3, 5, 2.6)] } }, total: null }, 'q')
  expect(missing(row!)).toBe(2)
  expect(missing({ ...row!, needed: 1 })).toBe(0)
  expect(missing({ ...row!, needed: null })).toBe(0)
})

test('a shift ends at midnight, not at minute sixty', () => {
  expect([clockOf(8 * 3600), clockOf(17 * 3600 + 1799), clockOf(86_400)]).toEqual(['8:00', '17:30', '24:00'])
})

import { expect, test } from 'vitest'
import { difference, gain, widest } from './gain'
import type { Move } from './plan'

const side = { mean_wait_s: { mean: 0, se: 0, ci95: [0, 0] as [number, number] } }
const pair = { old: side, new: side, difference: { mean_wait_s: { mean: -12, se: 1, ci95: [-14, -10] as [number, number] } } }
const move: Move = {
  kind: 'skill', queue: 'orders', team: '', agent: 'a', agent_name: 'Ann', skill: 's', level: 2, after_s: 0, spans: [],
  replications: 20, verdict: 'gives', gain: 12, harmed: [], effect: { queues: { orders: pair }, total: pair }, changes: [],
}

test('a shorter wait is a gain, and its interval turns with it', () => {
  expect(difference(move, 'mean_wait_s', '').mean).toBe(-12)
  expect(gain(move, 'mean_wait_s', 'orders')).toEqual({ mean: 12, se: 1, ci95: [10, 14] })
})

test('a queue that nothing is told of has not changed', () => {
  expect(gain(move, 'mean_wait_s', 'returns').ci95).toEqual([-0, -0])
})

test('one scale holds all rows, even where nothing moves', () => {
  expect(widest([gain(move, 'mean_wait_s', '')])).toBeCloseTo(15.6)
  expect(widest([])).toBeGreaterThan(0)
})

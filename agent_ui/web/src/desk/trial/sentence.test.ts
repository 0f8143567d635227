import { expect, test } from 'vitest'
import { others, told } from './sentence'
import type { Compared, Estimate, Pair } from './trial'

const about = (mean: number, by: number): Estimate => ({ mean, se: by / 2, ci95: [mean - by, mean + by] })
const pair = (level: [number, number, number], wait: [number, number, number]): Pair => ({
  old: { service_level: about(level[0], 0), mean_wait_s: about(wait[0], 0) },
  new: { service_level: about(level[1], 0), mean_wait_s: about(wait[1], 0) },
  difference: { service_level: about(level[1] - level[0], level[2]), mean_wait_s: about(wait[1] - wait[0], wait[2]) },
})

test('the service level is told first, the wait where only that is certain', () => {
  expect(told(pair([0.6, 0.8, 0.02], [90, 40, 5]))).toMatchObject({ figure: 'service_level', verdict: 'better', old: 0.6, now: 0.8 })
  expect(told(pair([0.6, 0.61, 0.05], [90, 40, 5]))).toMatchObject({ figure: 'mean_wait_s', verdict: 'better' })
  expect(told(pair([0.6, 0.61, 0.05], [90, 80, 50])).verdict).toBe('unsure')
})

test('who is harmed stands before who gains; who is not certain is left out', () => {
  const queues = { own: pair([0.6, 0.8, 0.02], [9, 9, 0]), up: pair([0.7, 0.8, 0.01], [9, 9, 0]), down: pair([0.9, 0.8, 0.01], [9, 9, 0]), open: pair([0.9, 0.8, 0.3], [9, 9, 0]) }
  const figures: Compared = { queues, teams: {}, total: queues.own, half_hours: {} }
  expect(others(figures, 'own').map(({ key }) => key)).toEqual(['down', 'up'])
})

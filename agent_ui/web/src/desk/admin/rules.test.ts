import { expect, test } from 'vitest'
import { factKey, factsOf, type FactName } from './rules'

const names: FactName[] = [
  { name: 'text', type: 'text' },
  { name: 'now.hour', type: 'int' },
  { name: 'customer.known', type: 'bool' },
  { name: 'attributes', type: 'text_map' },
]

test('facts go out in the types that rules know', () => {
  const written = [
    { name: 'text', value: 'hello' },
    { name: ' now.hour ', value: '9' },
    { name: 'customer.known', value: 'true' },
    { name: 'attributes.plan', value: 'b' },
    { name: 'attributes.size', value: '' },
  ]
  expect(factsOf(written, names)).toEqual({
    text: 'hello', 'now.hour': 9, 'customer.known': true, attributes: { plan: 'b', size: '' },
  })
})

test('what has no such name or no such form is left out', () => {
  const written = [{ name: 'weather', value: 'x' }, { name: 'now.hour', value: 'nine' }, { name: 'attributes', value: 'x' }, { name: '', value: '' }]
  expect(factsOf(written, names)).toEqual({})
  expect(factKey('now.hour')).toBe('now_hour')
})

import { expect, test } from 'vitest'
import { allDay, nextDate, nextSpan, overnight, tidy } from './spans'

test.each([
  ['9', '09:00'],
  ['930', '09:30'],
  ['0930', '09:30'],
  ['９：３０', '09:30'],
  [' 18:05 ', '18:05'],
  ['24', '24:00'],
  ['24:30', '24:30'],
  ['25:00', '25:00'],
  ['noon', 'noon'],
  ['', ''],
])('%j is written as %j', (typed, shown) => expect(tidy(typed)).toBe(shown))

test('the hours offered next follow a break', () => {
  expect(nextSpan([])).toEqual(['09:00', '18:00'])
  expect(nextSpan([['09:00', '12:00']])).toEqual(['13:00', '18:00'])
  expect(nextSpan([['09:00', '18:00']])).toEqual(['19:00', '20:00'])
  expect(nextSpan([['09:00', '24:00']])).toEqual(['23:00', '24:00'])
})

test('hours over midnight and of a whole day are told apart', () => {
  expect(overnight(['22:00', '02:00'])).toBe(true)
  expect(overnight(['22:00', '00:00'])).toBe(false)
  expect(overnight(['09:00', '18:00'])).toBe(false)
  expect(overnight(['9x', '18:00'])).toBe(false)
  expect(allDay(['00:00', '24:00'])).toBe(true)
})

test('the date offered next follows the last one', () => {
  expect(nextDate([], '2026-11-26')).toBe('2026-11-26')
  expect(nextDate(['2026-12-31', '2026-12-30'], '2026-11-26')).toBe('2027-01-01')
  expect(nextDate([''], '2026-11-26')).toBe('2026-11-26')
})

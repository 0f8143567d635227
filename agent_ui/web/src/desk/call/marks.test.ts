import { callOf, leg } from '@shared/call/fakes'
import type { CallMark } from '@shared/call/model'
import { expect, test } from 'vitest'
import { chosen } from './answers'
import { marksOf } from './marks'

const legs = [leg('a', { party: 'customer', agent: null }), leg('b'), leg('e', { party: 'expert' }), leg('s', { party: 'supervisor' })]
const mark = (second: number, kind: string, on: string | null, by_name = '', data = {}): CallMark =>
  ({ at: new Date(Date.parse('2026-11-26T05:00:10Z') + second * 1000).toISOString(), kind, leg: on, by_name, data })
const call = (...timeline: CallMark[]) => callOf([['a', 'b']], { legs, timeline })

test('a call is told by what happened in it, by the time of the talk', () => {
  const marks = marksOf(call(
    mark(0, 'leg.connected', 'b', '高橋'),
    mark(5, 'leg.held', 'a'),
    mark(6, 'leg.held', 'a'),
    mark(20, 'leg.connected', 'e', '中村'),
    mark(21, 'leg.connected', 's', '岡本'),
    mark(35, 'leg.resumed', 'a'),
    mark(36, 'leg.resumed', 'a'),
    mark(40, 'leg.ended', 'e', '中村'),
    mark(50, 'recording', null, '', { state: 'paused' }),
  ))
  expect(marks.map(({ at, word, name, ms }) => [at / 1000, word, name, ms / 1000])).toEqual([
    [0, 'answered', '', 10],
    [5, 'held', '', 0],
    [20, 'joined', '中村', 0],
    [35, 'resumed', '', 30],
    [40, 'left', '中村', 0],
    [50, 'recordPaused', '', 0],
  ])
})

test('of many marks the last ones are told; a call that nobody answered has none', () => {
  const many = Array.from({ length: 10 }, (_, at) => mark(at + 1, at % 2 ? 'leg.resumed' : 'leg.held', 'a'))
  expect(marksOf(call(...many)).map(({ at }) => at / 1000)).toEqual([5, 6, 7, 8, 9, 10])
  expect(marksOf({ ...call(...many), answered_at: null })).toEqual([])
})

test('menu answers are told by their values, a language by its name, a score not at all', () => {
  const answers = [
    { step: 'language', name: 'language', value: 'ja' },
    { step: 'what', name: 'topic', value: '返品・交換' },
    { step: 'ask', name: 'order', value: '' },
    { step: 'survey', name: 'score', value: '5' },
  ]
  const language = (code: string): string => (code === 'ja' ? '日本語' : '')
  expect(chosen(answers, language)).toEqual(['日本語', '返品・交換', 'order'])
  expect(chosen([{ step: 'language', name: 'language', value: 'xx' }], language)).toEqual(['xx'])
})

test('a hold for somebody ends when they are gone', () => {
  const found = marksOf(call(mark(5, 'leg.held', 'a', '', { for: 'e' }), mark(25, 'leg.ended', 'e', '中村')))
  expect(found.map(({ word, ms }) => [word, ms]).slice(1)).toEqual([['held', 0], ['left', 0], ['resumed', 20_000]])
})

import { callOf as madeCall, leg } from '@shared/call/fakes'
import { expect, test } from 'vitest'
import { callsOf, joins } from './carrying'
import { controlsOf, legSign, result, running, speakers, tiles } from './signs'

const customer = leg('a', { party: 'customer', agent: null })
const agent = leg('b')
const both: [string, string][] = [['a', 'b'], ['b', 'a']]
const call = (...legs: Parameters<typeof leg>[]) => madeCall(both, { legs: [customer, agent, ...legs.map((each) => leg(...each))] })

test.each([
  [leg('a', { state: 'ringing' }), undefined, 'ringing', 'ringing'],
  [leg('a', { held: true, held_at: 'x' }), 'connected', 'held', 'held'],
  [leg('a'), 'reconnecting', 'reconnecting', 'reconnecting'],
  [leg('a'), 'connecting', 'ringing', 'connecting'],
  [leg('a'), 'connected', 'connected', 'talking'],
  [leg('a', { muted: true }), 'connected', 'connected', 'muted'],
  [leg('e', { party: 'expert' }), 'connected', 'connected', 'consulting'],
  [leg('s', { party: 'supervisor', mode: 'whisper' }), undefined, 'connected', 'whisper'],
] as const)('%o by %s looks %s and reads %s', (one, link, tone, word) => {
  expect(legSign(one, link, true)).toMatchObject({ tone, word })
})

test('where somebody else carries the sound, its connection says nothing', () => {
  expect(legSign(leg('a'), 'connecting', false).word).toBe('talking')
})

test('while nobody has come the customer waits, and does not talk', () => {
  const one = leg('a', { party: 'customer', agent: null, connected_at: 'x' })
  expect(legSign(one, undefined, false, true)).toEqual({ tone: 'ringing', word: 'waiting', since: 'x' })
  expect(legSign(leg('b'), undefined, false, true).word).toBe('talking')
})

test('in a list a call is told by its word and since when', () => {
  expect(running(call())).toEqual({ word: 'talking', since: '2026-11-26T05:00:10Z', held: false })
  const held = madeCall(both, { legs: [{ ...customer, held: true, held_at: 'y' }, agent] })
  expect(running(held)).toEqual({ word: 'held', since: 'y', held: true })
  const waiting = { ...call(), state: 'waiting' as const, answered_at: null }
  expect(running(waiting).word).toBe('ringing')
  expect(running({ ...waiting, direction: 'out' }).word).toBe('dialling')
})

test('an agent who is still coming in may end the call, a colleague who is asked may not', () => {
  expect(controlsOf(call(), { ...agent, state: 'ringing' }, false)).toMatchObject({ end: true, mute: false })
  expect(controlsOf(call(), leg('e', { party: 'expert', state: 'ringing' }), false).end).toBe(false)
})

test('tiles show who is there but oneself, the customer first', () => {
  const one = call(['e', { party: 'expert', state: 'ringing' }], ['x', { state: 'ended' }])
  expect(tiles(one, 'b').map(({ id }) => id)).toEqual(['a', 'e'])
})

test('an agent leads, an expert talks, a supervisor listens', () => {
  expect(controlsOf(call(), agent, false)).toMatchObject({ mute: true, hold: customer, consult: true, transfer: true, keypad: false, screen: true, supervise: false })
  expect(controlsOf(call(), leg('e', { party: 'expert' }), false)).toMatchObject({ mute: true, hold: null, consult: false, transfer: false })
  expect(controlsOf(call(), leg('s', { party: 'supervisor', mode: 'listen' }), true)).toMatchObject({ mute: false, hold: null, screen: false, supervise: true })
  expect(controlsOf(call(), null, true)).toMatchObject({ mute: false, supervise: true })
  expect(controlsOf(call(), agent, true).supervise).toBe(false)
})

test('while a colleague is consulted apart, all can be joined or the call handed over', () => {
  const held = { ...customer, held: true }
  const one = madeCall(both, { legs: [held, agent, leg('e', { party: 'expert' })] })
  expect(controlsOf(one, agent, false)).toMatchObject({ consult: false, transfer: false, apart: true, expert: { id: 'e' } })
})

test('keys are for the telephone, cameras for video between browsers', () => {
  expect(controlsOf({ ...call(), by: 'phone' }, agent, false)).toMatchObject({ keypad: true, camera: false, screen: false })
  expect(controlsOf({ ...call(), channel: 'video' }, agent, false)).toMatchObject({ keypad: false, camera: true })
})

test('the end of a call has a word, known or not', () => {
  expect(result(call())).toBe('talking')
  expect(result({ ...call(), state: 'ended', why: 'lost' })).toBe('lost')
  expect(result({ ...call(), state: 'ended', why: 'over' })).toBe('hung_up')
  expect(result({ ...call(), state: 'ended', why: 'over', answered_at: null })).toBe('abandoned')
})

test('who talked is named once, who listened not', () => {
  const one = call(['b2', { agent: 'b', name: 'b' }], ['s', { party: 'supervisor' }])
  expect(speakers(one)).toEqual(['b'])
})

test('of several calls the last one comes first; ended ones are none', () => {
  const calls = [call(), { ...call(), id: 'new', began_at: '2026-11-27T00:00:00Z' }, { ...call(), id: 'over', state: 'ended' as const }]
  expect(callsOf(calls, 'b').map((each) => each.call.id)).toEqual(['new', 'call'])
  expect(callsOf(calls, 'nobody')).toEqual([])
})

test('the tab that had the leg joins again; a ringing one is taken by the tab used last; advice is asked first', () => {
  expect(joins(agent, 'b', false)).toBe(true)
  expect(joins(agent, null, true)).toBe(false)
  expect(joins({ ...agent, state: 'ringing' }, null, true)).toBe(true)
  expect(joins({ ...agent, state: 'ringing' }, null, false)).toBe(false)
  expect(joins({ ...agent, state: 'ringing', party: 'expert' }, null, true)).toBe(false)
})

test('a number that is called in may be let go, talk with all, and have the call', () => {
  const outside = leg('n', { party: 'number', agent: null, address: '+81311112222' })
  const one = madeCall(both, { by: 'phone', legs: [{ ...customer, held: true }, agent, outside] })
  expect(controlsOf(one, agent, false)).toMatchObject({ expert: outside, apart: true, consult: false })
})

import { callOf, leg } from '@shared/call/fakes'
import type { CallView } from '@shared/call/model'
import { expect, test } from 'vitest'
import { AGAIN_MS, dialled, justEnded } from './dialling'
import { legSign, result } from './signs'

const ended = '2026-11-26T05:01:00Z'
const customer = leg('a', { party: 'customer', agent: null, state: 'ended', address: '+819055500187' })
const made = (change: Partial<CallView> = {}): CallView =>
  callOf([], { by: 'phone', direction: 'out', state: 'ended', why: 'no_answer', ended_at: ended, legs: [customer, leg('b')], ...change })
const after = (ms: number) => (): number => ms

test('one more try is offered for ten seconds, of the last own call', () => {
  expect(justEnded([made()], 'c1', 'b', after(0))?.why).toBe('no_answer')
  expect(justEnded([made()], 'c1', 'b', after(AGAIN_MS))).toBeNull()
  expect(justEnded([made()], 'c2', 'b', after(0))).toBeNull()
  expect(justEnded([made()], 'c1', 'x', after(0))).toBeNull()
  expect(justEnded([made({ direction: 'in' })], 'c1', 'b', after(0))).toBeNull()
  const again = made({ id: 'again', state: 'waiting', ended_at: null, began_at: '2026-11-26T05:01:02Z' })
  expect(justEnded([made(), again], 'c1', 'b', after(0))).toBeNull()
})

test('the number, and how it went', () => {
  expect(dialled(made())).toBe('+819055500187')
  expect(['busy', 'no_answer', 'refused', 'failed'].map((why) => result(made({ why })))).toEqual(['busy', 'no_answer', 'refused', 'failed'])
})

test('whoever is being called is told apart from who rings', () => {
  expect(legSign(leg('a', { state: 'ringing', dialled: true }), undefined, false).word).toBe('dialling')
  expect(legSign(leg('b', { state: 'ringing' }), undefined, false).word).toBe('ringing')
})

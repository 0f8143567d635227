import { expect, test } from 'vitest'
import { conversation, message, mine, minute, outgoing, snapshot, told } from './samples'
import { empty, over, reduce, unfinished, type Action, type State } from './state'

const run = (actions: Action[], from: State = empty): State => actions.reduce(reduce, from)
const talking = run([
  { type: 'asked' },
  { type: 'answer', answer: snapshot(10, { conversation: conversation(), messages: [mine('m1')] }) },
])

test('a snapshot plus events is what a fresh snapshot shows', () => {
  const joined = conversation({ version: 2, state: 'talking', agent: '高橋' })
  const folded = run(
    [
      { type: 'event', event: told(11, 10, joined) },
      { type: 'event', event: told(14, 11, message('m2')) },
    ],
    talking,
  )
  const fresh = run([
    { type: 'asked' },
    {
      type: 'answer',
      answer: snapshot(14, { conversation: joined, messages: [mine('m1'), message('m2')] }),
    },
  ])
  expect({ ...folded, turns: [] }).toEqual(fresh)
  expect(folded.turns).toEqual([{ at: minute(11), agent: '高橋' }])
})

test('events that come before the answer are held until it is there', () => {
  const held = run([{ type: 'asked' }, { type: 'event', event: told(12, 11, message('m2')) }], talking)
  expect(held.messages).not.toHaveProperty('m2')
  const resumed = reduce(held, {
    type: 'answer',
    answer: { mode: 'resume', pos: 11, position: null, events: [told(11, 10, message('m1b'))] },
  })
  expect(Object.keys(resumed.messages)).toEqual(['m1', 'm1b', 'm2'])
  expect(resumed).toMatchObject({ pos: 12, asking: false, hole: false, held: [] })
})

test('what the answer has told already is not told twice', () => {
  const late = told(11, 10, message('m2'))
  const held = run([{ type: 'asked' }, { type: 'event', event: late }], talking)
  const answer = { mode: 'resume' as const, pos: 11, position: null, events: [late] }
  expect(reduce(held, { type: 'answer', answer })).toMatchObject({ pos: 11, hole: false })
})

test('an event whose prev is not the last position shows a hole', () => {
  const next = reduce(talking, { type: 'event', event: told(14, 12, message('m2')) })
  expect(next).toMatchObject({ hole: true, pos: 10 })
  expect(next.messages).not.toHaveProperty('m2')
})

test('a heartbeat ahead of the last position shows a hole, one at it does not', () => {
  expect(reduce(talking, { type: 'heartbeat', pos: 10 }).hole).toBe(false)
  expect(reduce(talking, { type: 'heartbeat', pos: 11 }).hole).toBe(true)
})

test('stale asks for a snapshot', () => {
  expect(reduce(talking, { type: 'stale' })).toMatchObject({ pos: null, hole: true })
})

test('an older version does not replace a newer one; a tombstone removes', () => {
  const newer = reduce(talking, { type: 'event', event: told(11, 10, mine('m1', { version: 3 })) })
  const older = reduce(newer, { type: 'event', event: told(12, 11, mine('m1', { version: 2 })) })
  expect(older.messages['m1']?.version).toBe(3)
  const gone = reduce(older, {
    type: 'event',
    event: { pos: 13, prev: 12, entity: 'message', id: 'm1', version: 4, view: null, at: minute(3) },
  })
  expect(gone.messages).toEqual({})
})

test('a text leaves the outbox when the stream shows it, and is there once', () => {
  const sent = run(
    [
      { type: 'compose', message: outgoing('out-m2') },
      { type: 'sending', id: 'out-m2' },
      { type: 'event', event: told(11, 10, mine('m2')) },
    ],
    talking,
  )
  expect(sent.outbox).toEqual([])
  const again = reduce(sent, { type: 'event', event: told(11, 10, mine('m2')) })
  expect(Object.keys(again.messages)).toEqual(['m1', 'm2'])
})

test('a text whose answer was lost waits again and goes once the snapshot has it', () => {
  const lost = run(
    [
      { type: 'compose', message: outgoing('out-m2') },
      { type: 'sending', id: 'out-m2' },
      { type: 'link', link: 'lost' },
    ],
    talking,
  )
  expect(lost.outbox[0]?.stage).toBe('queued')
  const messages = [mine('m1'), mine('m2')]
  const answer = snapshot(12, { conversation: conversation(), messages })
  expect(run([{ type: 'asked' }, { type: 'answer', answer }], lost).outbox).toEqual([])
})

test('a visitor whom the hub does not know keeps the texts and nothing else', () => {
  const state = run([{ type: 'compose', message: outgoing('a', { stage: 'sending' }) }], talking)
  const next = reduce(state, { type: 'strange' })
  expect(next).toMatchObject({ pos: null, conversation: null, messages: {}, loaded: false })
  expect(next.outbox).toMatchObject([{ id: 'a', stage: 'queued' }])
})

test('a talk is over when it is closed or the visitor has left, until something is said', () => {
  expect(unfinished(talking)).toBe(true)
  const closed = conversation({ version: 2, state: 'closed' })
  expect(over(reduce(talking, { type: 'event', event: told(11, 10, closed) }))).toBe(true)
  const parts = [{ type: 'system' as const, code: 'customer_left' }]
  const leave = message('left', { author: 'system', agent: '', parts, at: minute(5) })
  const left = reduce(talking, { type: 'event', event: told(11, 10, leave) })
  expect([over(left), unfinished(left)]).toEqual([true, false])
  const answer = told(12, 11, message('m3', { at: minute(6) }))
  expect(over(reduce(left, { type: 'event', event: answer }))).toBe(false)
})

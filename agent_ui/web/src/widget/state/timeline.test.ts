import { expect, test } from 'vitest'
import { conversation, message, mine, minute, outgoing } from './samples'
import { empty, type State } from './state'
import { timeline, type Entry } from './timeline'

const byId = (...all: ReturnType<typeof message>[]) => Object.fromEntries(all.map((m) => [m.id, m]))
const state = (change: Partial<State>): State => ({ ...empty, link: 'live', ...change })

function brief(entry: Entry): string {
  if (entry.kind === 'day') return 'day'
  if (entry.kind === 'line') return `${entry.code} ${entry.name}`
  const [part] = entry.parts
  const text = part?.type === 'text' ? part.text : ''
  return [text, entry.mark ?? '', entry.last ? '' : '+'].join(' ').trim()
}

const brevity = (change: Partial<State>): string[] => timeline(state(change)).map(brief)

test('who serves is told where it changed, from the stream or from the texts', () => {
  const messages = byId(
    mine('m1', { at: minute(0) }),
    message('m2', { at: minute(3) }),
    message('m3', { at: minute(6), agent: '中村' }),
  )
  const turns = [
    { at: minute(2), agent: '高橋' },
    { at: minute(4), agent: '' },
  ]
  expect(brevity({ conversation: conversation({ state: 'talking' }), messages, turns })).toEqual([
    'day',
    'm1 delivered',
    'joined 高橋',
    'm2',
    'left 高橋',
    'changed 中村',
    'm3',
  ])
})

test('marks go from taken to delivered to read, and stand below the last of their kind', () => {
  const messages = byId(mine('m1'), mine('m2', { at: minute(2) }), mine('m3', { at: minute(3) }))
  const waiting = conversation()
  expect(brevity({ conversation: waiting, messages })).toEqual([
    'day',
    'm1 taken +',
    'm2 taken +',
    'm3 taken',
  ])
  const read = conversation({ state: 'talking', read_to: minute(2) })
  expect(brevity({ conversation: read, messages })).toEqual([
    'day',
    'm1 read +',
    'm2 read',
    'm3 delivered',
  ])
})

test('a mark does not go back when the agent leaves', () => {
  const messages = byId(mine('m1'), mine('m2', { at: minute(5) }))
  const turns = [{ at: minute(2), agent: '高橋' }, { at: minute(3), agent: '' }]
  const said = brevity({ conversation: conversation(), messages, turns })
  expect([said[1], said.at(-1)]).toEqual(['m1 delivered', 'm2 taken'])
})

test('what is on its way says whether it is being sent, waits, was taken or has failed', () => {
  const outbox = [
    outgoing('1', { stage: 'taken' }),
    outgoing('2', { stage: 'sending' }),
    outgoing('3'),
    outgoing('4', { stage: 'failed' }),
  ]
  const marks = (change: Partial<State>) =>
    timeline(state({ outbox, ...change })).flatMap((one) => (one.kind === 'said' ? [one.mark] : []))
  expect(marks({})).toEqual(['taken', 'sending', 'sending', 'failed'])
  expect(marks({ link: 'lost' })).toEqual(['taken', 'sending', 'queued', 'failed'])
})

test('each day has its divider', () => {
  const later = new Date(Date.parse(minute(1)) + 36 * 3_600_000).toISOString()
  expect(brevity({ messages: byId(message('m1'), message('m2', { at: later })) })).toEqual([
    'day',
    'joined 高橋',
    'm1',
    'day',
    'm2',
  ])
})

test('a text keeps its key when the stream confirms it, so that nothing flickers', () => {
  const [, before] = timeline(state({ outbox: [outgoing('out-m1')] }))
  const [, after] = timeline(state({ messages: byId(mine('m1')) }))
  expect(before?.key).toBe(after?.key)
})

import { expect, test } from 'vitest'
import { nextToSend, reduceOutbox, type Attachment, type Outbox, type OutboxAction } from './outbox'
import { outgoing } from './samples'

const run = (outbox: Outbox, ...actions: OutboxAction[]): Outbox => actions.reduce(reduceOutbox, outbox)
const file: Attachment = {
  key: 'k',
  name: 'futa.jpg',
  size: 9,
  media_type: 'image/jpeg',
  id: null,
  fault: null,
}

test('texts found after a reload join those of the page once, in the order of their ids', () => {
  const found = [outgoing('1'), outgoing('2')]
  const outbox = run([outgoing('2', { stage: 'sending' })], { type: 'found', messages: found })
  expect(outbox.map(({ id, stage }) => [id, stage])).toEqual([
    ['1', 'queued'],
    ['2', 'sending'],
  ])
})

test('a text waits for its files, those behind it do not', () => {
  const waiting = run([outgoing('1', { files: [file] }), outgoing('2')])
  expect(nextToSend(waiting)?.id).toBe('2')
  const there = run(waiting, { type: 'file', id: '1', key: 'k', change: { id: 'f1' } })
  expect(nextToSend(there)?.id).toBe('1')
})

test('what failed is not sent until it is tried again', () => {
  const failed = run([outgoing('1')], { type: 'refused', id: '1', fault: 'too_long' })
  expect(nextToSend(failed)).toBeUndefined()
  const again = run(failed, { type: 'again', id: '1' })
  expect(again).toMatchObject([{ stage: 'queued', fault: null }])
})

test('a file that the hub has forgotten is brought again', () => {
  const failed = outgoing('1', {
    files: [{ ...file, id: 'f1' }],
    stage: 'failed',
    fault: 'unknown_file',
  })
  expect(run([failed], { type: 'again', id: '1' })[0]?.files[0]?.id).toBeNull()
})

test('a discarded text is gone', () => {
  expect(run([outgoing('1')], { type: 'discard', id: '1' })).toEqual([])
})

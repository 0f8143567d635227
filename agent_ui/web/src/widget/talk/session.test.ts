import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { conversation, message, mine, minute, outgoing, snapshot, told } from '../state/samples'
import { FakeRest, FakeWire, kept } from './fakes'
import { Identity } from './identity'
import { Reading } from './reading'
import { Session } from './session'
import { Uploads } from './uploads'

let wire: FakeWire
let rest: FakeRest

function session(): Session {
  const page = () => ({ url: 'https://shop.example/', title: 'Shop' })
  const ports = { rest, connect: wire.connect, kept: kept(), account: 'shop', page }
  const made = new Session({ ...ports, language: () => 'ja' })
  made.watched = true
  return made
}

async function live(): Promise<Session> {
  const made = session()
  await made.connect(true)
  wire.hears.up()
  await vi.advanceTimersByTimeAsync(0)
  return made
}

const tick = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  wire = new FakeWire()
  rest = new FakeRest()
})

afterEach(() => vi.useRealTimers())

test('an idle page opens no socket; a visitor without a token gets one with the first talk', async () => {
  const one = session()
  await one.connect(false)
  expect([rest.tokens, wire.auth]).toEqual([0, undefined])
  await one.connect(true)
  expect(wire.auth()).toEqual({ account: 'shop', token: 'token-1' })
})

test('a text is sent after hello, kept until the hub has it, and gone from the browser then', async () => {
  const one = await live()
  one.dispatch({ type: 'compose', message: outgoing('a', { topic: 'returns' }) })
  expect(kept().outbox()).toHaveLength(1)
  await tick()
  expect(wire.bodies('send')).toEqual([{ id: 'a', text: 'a', files: [], topic: 'returns' }])
  expect(one.store.value.outbox).toMatchObject([{ stage: 'taken' }])
  expect(kept().outbox()).toEqual([])
})

test('texts of an earlier page go after the reload, with their ids, in their order', async () => {
  kept().keep(outgoing('b'))
  kept().keep(outgoing('a', { stage: 'sending' }))
  const one = session()
  one.dispatch({ type: 'link', link: 'lost' })
  await one.connect(true)
  expect(wire.bodies('send')).toEqual([])
  wire.hears.up()
  await tick()
  expect(wire.bodies('send').map(({ id }) => id)).toEqual(['a', 'b'])
})

test('after a broken connection the same text goes again and the place in the stream is told', async () => {
  const one = await live()
  wire.answers['send'] = () => new Error('connection lost')
  one.dispatch({ type: 'compose', message: outgoing('a') })
  await tick()
  wire.hears.down()
  expect(one.store.value.outbox).toMatchObject([{ id: 'a', stage: 'queued' }])
  delete wire.answers['send']
  wire.answers['hello'] = () => ({ mode: 'resume', pos: 4, position: null, events: [] })
  wire.hears.up()
  await tick(3_000)
  expect(wire.bodies('hello').map(({ pos }) => pos)).toEqual([null, 0])
  expect(wire.bodies('send').map(({ id }) => id)).toEqual(['a', 'a'])
})

test('a hole makes it say hello again, once', async () => {
  await live()
  wire.answers['hello'] = () => ({ mode: 'resume', pos: 9, position: null, events: [] })
  wire.hears.event('event', told(5, 3, message('m1')))
  wire.hears.event('event', told(9, 5, message('m2')))
  await tick()
  expect(wire.bodies('hello').map(({ pos }) => pos)).toEqual([null, 0])
})

test('stale asks for all, a heartbeat ahead for the rest', async () => {
  await live()
  wire.hears.event('stale', {})
  await tick()
  wire.hears.event('heartbeat', { pos: 7 })
  await tick()
  expect(wire.bodies('hello').map(({ pos }) => pos)).toEqual([null, null, 0])
})

test('an unknown visitor becomes a new one and the texts go with the new token', async () => {
  kept().set('token', 'old')
  kept().keep(outgoing('a'))
  const one = session()
  await one.connect(false)
  expect(wire.auth()).toMatchObject({ token: 'old' })
  wire.hears.event('unknown_visitor', {})
  expect(wire.closed).toBe(true)
  await tick(1_000)
  expect(wire.auth()).toMatchObject({ token: 'token-1' })
  wire.hears.up()
  await tick()
  expect(wire.bodies('send').map(({ id }) => id)).toEqual(['a'])
})

test('too many texts wait a little, a text that is refused says so', async () => {
  const one = await live()
  wire.answers['send'] = () => ({ ok: false, code: 'too_many' })
  one.dispatch({ type: 'compose', message: outgoing('a') })
  await tick()
  expect(one.store.value).toMatchObject({ crowded: true, outbox: [{ stage: 'queued' }] })
  wire.answers['send'] = () => ({ ok: false, code: 'too_long' })
  await tick(9_000)
  expect(one.store.value.outbox).toMatchObject([{ stage: 'failed', fault: 'too_long' }])
  expect(wire.bodies('send')).toHaveLength(2)
})

test('the socket is closed where nobody looks and no talk goes on, and only there', async () => {
  const one = await live()
  one.watched = false
  one.settle()
  expect(wire.closed).toBe(true)
  wire.answers['hello'] = () => snapshot(3, { conversation: conversation() })
  const two = await live()
  two.watched = false
  two.settle()
  expect([wire.closed, kept().get('unfinished')]).toEqual([false, '1'])
})

test('files go first; the text follows with their ids; a lost file says so after a reload', async () => {
  const one = await live()
  const uploads = new Uploads(one)
  const files = uploads.attach([{ key: 'k', file: new File(['x'], 'futa.jpg') }])
  one.dispatch({ type: 'compose', message: outgoing('a', { files }) })
  await tick()
  expect(wire.bodies('send')).toMatchObject([{ id: 'a', files: ['stored-futa.jpg'] }])
  kept().keep(outgoing('b', { files }))
  const two = await live()
  new Uploads(two)
  await tick()
  expect(two.store.value.outbox[0]?.files).toMatchObject([{ fault: 'lost' }])
})

test('what has come and what has been read is told once', async () => {
  const one = await live()
  const reading = new Reading(one)
  wire.hears.event('event', told(1, 0, message('m1')))
  wire.hears.event('event', told(2, 1, message('m2', { at: minute(3) })))
  expect(reading.unread()).toBe(2)
  await tick(200)
  reading.look()
  reading.look()
  await tick(200)
  expect(wire.bodies('seen')).toEqual([
    { delivered: ['m1', 'm2'], read_to: null },
    { delivered: [], read_to: minute(3) },
  ])
  expect(reading.unread()).toBe(0)
})

test('a customer is told once; another customer is another visitor', async () => {
  const claim = { id: '7', name: '佐藤', phone: '', mail: '', issued_at: minute(0), signature: 'x' }
  const one = await live()
  const identity = new Identity(one)
  await identity.set(claim)
  await identity.set(claim)
  expect(wire.bodies('identify')).toEqual([claim])
  await identity.set({ ...claim, id: '8' })
  expect(wire.auth()).toMatchObject({ token: 'token-2' })
  wire.hears.up()
  await tick()
  expect(wire.bodies('identify').map(({ id }) => id)).toEqual(['7', '8'])
})

test('reset leaves the talk and forgets the visitor', async () => {
  wire.answers['hello'] = () => snapshot(1, { conversation: conversation(), messages: [mine('m1')] })
  const one = await live()
  await one.reset()
  expect(wire.bodies('leave')).toHaveLength(1)
  expect([wire.closed, kept().get('token'), one.store.value.conversation]).toEqual([true, null, null])
})

test('the agent writes until nothing is heard for six seconds', async () => {
  const one = await live()
  wire.hears.event('typing', { on: true, name: '高橋' })
  expect(one.store.value.typing).toBe('高橋')
  await tick(6_100)
  expect(one.store.value.typing).toBeNull()
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectTo, type Hears } from './wire'

class FakeSocket {
  static all: FakeSocket[] = []
  sent: string[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }

  send(packet: string): void {
    this.sent.push(packet)
  }

  close(): void {
    this.onclose?.()
  }

  hub(...packets: string[]): void {
    packets.forEach((data) => this.onmessage?.({ data }))
  }
}

const open = '0{"sid":"s","pingInterval":10000,"pingTimeout":5000}'
const heard: unknown[] = []
const hears: Hears = {
  up: () => heard.push('up'),
  down: () => heard.push('down'),
  event: (name, body) => heard.push([name, body]),
}
const last = () => FakeSocket.all.at(-1)!
const dial = async () => {
  const wire = connectTo('https://hub.example')(() => ({ token: 't' }), hears)
  await vi.advanceTimersByTimeAsync(0)
  return wire
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.all = []
  heard.length = 0
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

test('it connects to the namespace with the token, answers pings and hears events', async () => {
  await dial()
  expect(last().url).toBe('wss://hub.example/widget/live/?EIO=4&transport=websocket')
  last().hub(open, '40/visitor,{"sid":"v"}', '2', '42/visitor,["position",{"position":3}]')
  expect(last().sent).toEqual(['40/visitor,{"token":"t"}', '3'])
  expect(heard).toEqual(['up', ['position', { position: 3 }]])
})

test('a packet may carry several events', async () => {
  await dial()
  last().hub(open, '40/visitor,{}', '42/visitor,["event",{"pos":1},{"pos":2}]')
  expect(heard).toEqual(['up', ['event', { pos: 1 }], ['event', { pos: 2 }]])
})

test('answers find their questions', async () => {
  const wire = await dial()
  last().hub(open, '40/visitor,{}')
  const answers = Promise.all([wire.ask('send', { id: 'a' }), wire.ask('send', { id: 'b' })])
  last().hub('43/visitor,1[{"ok":false}]', '43/visitor,0[{"ok":true}]')
  expect(await answers).toEqual([{ ok: true }, { ok: false }])
  expect(last().sent[1]).toBe('42/visitor,0["send",{"id":"a"}]')
})

test('a lost connection rejects what was asked and comes back by itself', async () => {
  const wire = await dial()
  last().hub(open, '40/visitor,{}')
  const asked = expect(wire.ask('send', {})).rejects.toThrow('connection lost')
  last().close()
  await asked
  await expect(wire.ask('send', {})).rejects.toThrow('not connected')
  await vi.advanceTimersByTimeAsync(700)
  expect(FakeSocket.all).toHaveLength(2)
  last().hub(open, '40/visitor,{}')
  expect(heard).toEqual(['up', 'down', 'up'])
})

test('a connection that says nothing is dead after its ping time', async () => {
  await dial()
  last().hub(open, '40/visitor,{}')
  await vi.advanceTimersByTimeAsync(14_000)
  expect(heard).toEqual(['up'])
  await vi.advanceTimersByTimeAsync(1_100)
  expect(heard).toEqual(['up', 'down'])
})

test('a hub that refuses is not asked again at once', async () => {
  await dial()
  last().hub(open, '40/visitor,{}', '42/visitor,["unknown_visitor",{}]', '41/visitor,')
  expect(heard).toEqual(['up', ['unknown_visitor', {}], 'down'])
  await vi.advanceTimersByTimeAsync(2_900)
  expect(FakeSocket.all).toHaveLength(1)
})

test('where a websocket never opens it polls', async () => {
  const calls: [string, string | undefined][] = []
  const polls = [`${open}`, '40/visitor,{}\x1e42/visitor,["heartbeat",{"pos":1}]']
  vi.stubGlobal('fetch', (url: string, { body }: { body?: string } = {}) => {
    calls.push([url, body])
    if (body !== undefined) return Promise.resolve(new Response('ok'))
    const next = polls.shift()
    return next ? Promise.resolve(new Response(next)) : new Promise(() => undefined)
  })
  const wire = await dial()
  last().close()
  await vi.advanceTimersByTimeAsync(700)
  expect(heard).toEqual(['down', 'up', ['heartbeat', { pos: 1 }]])
  const url = 'https://hub.example/widget/live/?EIO=4&transport=polling'
  expect(calls.slice(0, 2)).toEqual([
    [url, undefined],
    [`${url}&sid=s`, '40/visitor,{"token":"t"}'],
  ])
  wire.close()
})

test('closed is closed', async () => {
  const wire = await dial()
  last().hub(open, '40/visitor,{}')
  wire.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.all).toHaveLength(1)
  expect(heard).toEqual(['up'])
})

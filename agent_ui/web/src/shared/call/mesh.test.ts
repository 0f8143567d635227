import { beforeEach, expect, test } from 'vitest'
import { callOf, FakeConnection, FakeRelay, leg, track } from './fakes'
import { Mesh, type MeshHears } from './mesh'
import type { CallView } from './model'

class Timers {
  waiting: { act: () => void; ms: number }[] = []
  wait = (act: () => void, ms: number): (() => void) => {
    const one = { act, ms }
    this.waiting.push(one)
    return () => void (this.waiting = this.waiting.filter((each) => each !== one))
  }
  async pass(): Promise<void> {
    const due = this.waiting
    this.waiting = []
    due.forEach(({ act }) => act())
    await settle()
  }
}

let relay: FakeRelay
let timers: Timers
let ids = 0
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}
const both: [string, string][] = [['a', 'b'], ['b', 'a']]
const silent: MeshHears = { link: () => undefined, track: () => undefined, gone: () => undefined, taken: () => undefined }

function page(me: string, call: CallView | null = callOf(both), told: Partial<MeshHears> = {}) {
  const newId = (): string => `s${String((ids += 1)).padStart(4, '0')}`
  const ports = { connect: () => new FakeConnection(), send: relay.send, newId, wait: timers.wait }
  const mesh = new Mesh('call', me, ports, { ...silent, ...told })
  const voice = track()
  mesh.share({ audio: voice, video: null })
  const hear = mesh.hear.bind(mesh)
  relay.pages.set(me, [...(relay.pages.get(me) ?? []), hear])
  if (call) mesh.update(call)
  const leave = (): void => void relay.pages.set(me, (relay.pages.get(me) ?? []).filter((each) => each !== hear))
  return { mesh, voice, leave }
}

const open = (): FakeConnection[] => FakeConnection.made.filter(({ connectionState }) => connectionState !== 'closed')

beforeEach(() => {
  relay = new FakeRelay()
  timers = new Timers()
  FakeConnection.made = []
  ids = 0
})

test('two legs that hear each other connect once; the smaller one offers', async () => {
  const [a, b] = [page('a'), page('b')]
  await settle()
  await timers.pass()
  expect([...a.mesh.links(), ...b.mesh.links()]).toEqual([['b', 'connected'], ['a', 'connected']])
  expect(relay.said('a').filter((type) => type === 'offer')).toHaveLength(1)
  expect(relay.said('b')).not.toContain('offer')
  expect(FakeConnection.made.map(({ sends }) => sends)).toEqual([[a.voice, null], [b.voice, null]])
})

test('a page that comes later is awaited', async () => {
  const a = page('a')
  await settle()
  expect(a.mesh.links().get('b')).toBe('connecting')
  page('b')
  await settle()
  expect(a.mesh.links().get('b')).toBe('connected')
})

test('a signal that comes before the call says who talks is not lost', async () => {
  const b = page('b', null)
  page('a')
  await settle()
  b.mesh.update(callOf(both))
  await settle()
  expect(b.mesh.links().get('a')).toBe('connected')
})

test('what comes twice counts once', async () => {
  const pages = [page('a'), page('b')]
  await settle()
  const count = FakeConnection.made.length
  for (const signal of [...relay.carried]) for (const { mesh } of pages) mesh.hear(signal)
  await settle()
  expect(FakeConnection.made).toHaveLength(count)
  expect(pages[0]?.mesh.links().get('b')).toBe('connected')
})

test.each(['a', 'b'])('after a reload of %s both talk again, with one connection each', async (who) => {
  const pages = { a: page('a'), b: page('b') }
  await settle()
  pages[who as 'a' | 'b'].leave()
  const again = page(who)
  await settle()
  const other = pages[who === 'a' ? 'b' : 'a'].mesh
  expect([...other.links().values(), ...again.mesh.links().values()]).toEqual(['connected', 'connected'])
  const gone = FakeConnection.made.filter(({ connectionState }) => connectionState === 'closed')
  expect([gone.length, FakeConnection.made.length]).toEqual([1, 4])
})

test('whom a leg is not to reach gets not a packet of it', async () => {
  const whisper = callOf([['a', 'b'], ['b', 'a'], ['a', 'z'], ['b', 'z'], ['z', 'b']])
  const [a, b, z] = [page('a', whisper), page('b', whisper), page('z', whisper)]
  await settle()
  await timers.pass()
  const reached = FakeConnection.made.filter(({ sends }) => sends[0] === z.voice)
  expect(reached).toHaveLength(1)
  expect(FakeConnection.made.filter(({ sends }) => sends[0] === a.voice)).toHaveLength(2)
  expect(FakeConnection.made.filter(({ sends }) => sends[0] === b.voice)).toHaveLength(2)
  z.mesh.update(callOf([...whisper.hears, ['z', 'a']]))
  await settle()
  expect(FakeConnection.made.filter(({ sends }) => sends[0] === z.voice)).toHaveLength(2)
})

test('hold silences at once and keeps the connection; resuming speaks again', async () => {
  const [a] = [page('a'), page('b')]
  await settle()
  const [first] = FakeConnection.made
  a.mesh.update(callOf([], { legs: [leg('a', { held: true }), leg('b')] }))
  await settle()
  expect(first?.sends).toEqual([null, null])
  a.mesh.update(callOf(both))
  await settle()
  expect(first?.sends).toEqual([a.voice, null])
  expect(FakeConnection.made).toHaveLength(2)
})

test('a failed way is sought anew on the same connection, by who offers', async () => {
  const links: string[] = []
  page('a', undefined, { link: (_, link) => links.push(link) })
  page('b')
  await settle()
  const [first] = FakeConnection.made
  first?.become('failed')
  await settle()
  expect(first?.restarts).toBe(1)
  expect(links).toEqual(['connected', 'reconnecting', 'connected'])
})

test('a connection that does not come back is made anew', async () => {
  const [a, b] = [page('a'), page('b')]
  await settle()
  for (const each of [...FakeConnection.made]) each.become('disconnected')
  expect(b.mesh.links().get('a')).toBe('reconnecting')
  await timers.pass()
  await timers.pass()
  expect([...a.mesh.links().values(), ...b.mesh.links().values()]).toEqual(['connected', 'connected'])
  expect(open()).toHaveLength(2)
})

test('a newer page of the same leg takes the call; the older one is told', async () => {
  let taken = 0
  page('b', undefined, { taken: () => (taken += 1) })
  page('a')
  await settle()
  const newer = page('b')
  await settle()
  expect(newer.mesh.links().get('a')).toBe('connected')
  expect(taken).toBeGreaterThan(0)
})

test('the other end cannot say that a newer page has the call', async () => {
  let taken = 0
  const b = page('b', undefined, { taken: () => (taken += 1) })
  page('a')
  await settle()
  const lie = { type: 'offer' as const, sdp: '', to_session: 'zzzz' }
  b.mesh.hear({ call: 'call', from: 'a', to: 'b', session: 's9999', seq: 1, data: lie })
  await settle()
  expect([taken, b.mesh.links().get('a')]).toEqual([0, 'connected'])
})

test('with the end of a leg its connection ends; with the end of the call all of them', async () => {
  const gone: string[] = []
  const a = page('a', undefined, { gone: (who) => gone.push(who) })
  page('b')
  await settle()
  a.mesh.update(callOf([], { legs: [leg('a'), leg('b', { state: 'ended' })] }))
  expect(gone).toEqual(['b'])
  a.mesh.update(callOf(both, { state: 'ended' }))
  expect(a.mesh.links().size).toBe(0)
})

import { expect, test } from 'vitest'
import { Devices, type Source } from './devices'
import { callOf, FakeConnection, FakeRelay, leg, track, type FakeTrack } from './fakes'
import { WebMedia, type MediaState } from './media'

const both: [string, string][] = [['a', 'b'], ['b', 'a']]
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
}

class FakeSpeakers {
  playing = new Set<string>()
  heard: ReadonlySet<string> = new Set()
  play = (who: string): void => void this.playing.add(who)
  only = (legs: ReadonlySet<string>): void => void (this.heard = legs)
  stop = (who?: string): void => void (who ? this.playing.delete(who) : this.playing.clear())
}

function stage(refuse = '') {
  const given: (MediaStreamTrack & FakeTrack)[] = []
  const give = (kind: 'audio' | 'video'): MediaStream => {
    if (refuse === kind) throw Object.assign(new Error(), { name: 'NotAllowedError' })
    const made = track(kind)
    given.push(made)
    return { getTracks: () => [made] } as unknown as MediaStream
  }
  const source = {
    getUserMedia: async (asked: MediaStreamConstraints) => give(asked.video ? 'video' : 'audio'),
    getDisplayMedia: async () => give('video'),
    enumerateDevices: async () => [],
  } as Source
  const relay = new FakeRelay()
  const speakers = new FakeSpeakers()
  const states: MediaState[] = []
  let loud = 0.4
  let ids = 0
  const wait = (): (() => void) => () => undefined
  const ports = {
    connect: () => new FakeConnection(),
    send: relay.send,
    newId: () => `s${(ids += 1)}`,
    wait,
    devices: new Devices(source, null),
    speakers,
    meter: () => ({ level: () => loud, stop: () => undefined }),
  }
  const page = (me: string): WebMedia => {
    const made = new WebMedia(callOf(both), me, ports, (state) => states.push(state))
    relay.pages.set(me, [(signal) => made.hear(signal)])
    return made
  }
  return { page, given, speakers, states, speak: (to: number) => (loud = to) }
}

test('two who join hear each other; leaving lets the microphone go', async () => {
  const { page, given, speakers } = stage()
  const [a, b] = [page('a'), page('b')]
  await a.join()
  await b.join()
  await settle()
  expect(a.state).toMatchObject({ joined: true, fault: null })
  expect(a.state.links.get('b')).toBe('connected')
  expect([...speakers.playing].sort()).toEqual(['a', 'b'])
  expect(a.levels()).toEqual(new Map([['b', 0.5], ['a', 0.4]]))
  a.leave()
  b.leave()
  expect(given.every(({ stopped }) => stopped)).toBe(true)
  expect(a.state.joined).toBe(false)
})

test('a refused microphone is said, and nobody is joined', async () => {
  const { page } = stage('audio')
  const a = page('a')
  await expect(a.join()).rejects.toMatchObject({ device: 'microphone', fault: 'refused' })
  expect(a.state.joined).toBe(false)
  expect(a.state.fault?.fault).toBe('refused')
})

test('muting switches the microphone off at once, and hears who speaks all the same', async () => {
  const { page, given, speak } = stage()
  const a = page('a')
  await a.join()
  a.mute(true)
  expect(given[0]?.enabled).toBe(false)
  expect(a.levels().get('a')).toBe(0)
  expect(a.speaks()).toBe(true)
  speak(0)
  expect(a.speaks()).toBe(false)
  a.leave()
})

test('a microphone that is pulled out is named', async () => {
  const { page, given } = stage()
  const a = page('a')
  await a.join()
  given[0]?.dispatchEvent(new Event('ended'))
  expect(a.state.fault).toMatchObject({ device: 'microphone', fault: 'missing' })
  a.leave()
})

test('only who is to be heard is heard, whatever still comes', async () => {
  const { page, speakers } = stage()
  const a = page('a')
  await a.join()
  expect([...speakers.heard]).toEqual(['b'])
  a.update(callOf([], { legs: [leg('a', { held: true }), leg('b')] }))
  expect([...speakers.heard]).toEqual([])
  a.leave()
})

test('the screen takes the place of the camera; the browser may end it', async () => {
  const { page, given } = stage()
  const a = page('a')
  await a.join()
  await a.camera(true)
  const camera = given.at(-1)
  let ended = 0
  await a.screen(true, () => (ended += 1))
  expect(camera?.stopped).toBe(true)
  expect(a.state.pictures.get('a')).toBe(given.at(-1))
  given.at(-1)?.dispatchEvent(new Event('ended'))
  expect(ended).toBe(1)
  await a.camera(false)
  expect(a.state.pictures.size).toBe(0)
  a.leave()
})

test('without a camera the talk goes on', async () => {
  const { page } = stage('video')
  const a = page('a')
  await a.join()
  await expect(a.camera(true)).rejects.toMatchObject({ device: 'camera', fault: 'refused' })
  expect(a.state).toMatchObject({ joined: true })
  a.leave()
})

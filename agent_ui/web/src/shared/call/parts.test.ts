import { expect, test } from 'vitest'
import { DeviceFault, Devices, faultOf, type Source } from './devices'
import { callOf, FakeRelay, track } from './fakes'
import { between, notesOf } from './music'
import { partners, type Signal } from './model'
import { counted, qualityOf } from './quality'
import { Heard, SignalQueue, Voice } from './signals'
import { loudness } from './sound'

const signal = (session: string, seq: number): Signal => ({ call: 'call', from: 'a', to: 'b', session, seq, data: { type: 'join' } })

test('of one page load each signal counts once, of an earlier one none', () => {
  const heard = new Heard()
  expect(heard.take(signal('s2', 1))).toBe('fresh')
  expect(heard.take(signal('s2', 2))).toBe('next')
  expect(heard.take(signal('s2', 2))).toBe('old')
  expect(heard.take(signal('s1', 9))).toBe('old')
  expect(heard.take(signal('s3', 1))).toBe('fresh')
})

test('signals go in order, and each again until somebody is there', async () => {
  const relay = new FakeRelay()
  const got: number[] = []
  let retry: () => void = () => undefined
  const queue = new SignalQueue(relay.send, (act) => {
    retry = act
    return () => (retry = () => undefined)
  })
  const voice = new Voice('call', 'a', 's1')
  for (let n = 0; n < 3; n += 1) queue.push(voice.signal('b', { type: 'join' }))
  await new Promise((resolve) => setTimeout(resolve))
  expect(got).toEqual([])
  relay.pages.set('b', [({ seq }) => got.push(seq)])
  retry()
  await new Promise((resolve) => setTimeout(resolve))
  expect(got).toEqual([1, 2, 3])
})

test('partners are the other ends, each once', () => {
  expect(partners(callOf([['a', 'b'], ['b', 'a'], ['c', 'a'], ['b', 'c']]), 'a')).toEqual(['b', 'c'])
})

test.each([
  [{ received: 100, lost: 0, lostThere: 0, roundTrip: 0.05 }, 'good'],
  [{ received: 95, lost: 5, lostThere: 0, roundTrip: 0.05 }, 'fair'],
  [{ received: 100, lost: 0, lostThere: 0, roundTrip: 0.4 }, 'fair'],
  [{ received: 100, lost: 0, lostThere: 0.2, roundTrip: 0.05 }, 'poor'],
  [{ received: 0, lost: 0, lostThere: 0, roundTrip: 0 }, 'good'],
] as const)('%o sounds %s', (now, quality) => {
  expect(qualityOf({ received: 0, lost: 0, lostThere: 0, roundTrip: 0 }, now)).toBe(quality)
})

test('only sound is counted', () => {
  const report = [
    { type: 'inbound-rtp', kind: 'audio', packetsReceived: 90, packetsLost: 10 },
    { type: 'inbound-rtp', kind: 'video', packetsReceived: 900, packetsLost: 100 },
    { type: 'remote-inbound-rtp', kind: 'audio', fractionLost: 0.02, roundTripTime: 0.1 },
  ]
  expect(counted(report)).toEqual({ received: 90, lost: 10, lostThere: 0.02, roundTrip: 0.1 })
})

test('silence is 0, speech is in the middle, a shout is 1', () => {
  expect(loudness(new Float32Array(8))).toBe(0)
  expect(loudness(new Float32Array(8).fill(0.1))).toBeCloseTo(0.4)
  expect(loudness(new Float32Array(8).fill(0.9))).toBe(1)
})

const browser = (give: (asked: MediaStreamConstraints) => MediaStreamTrack): Source => ({
  getUserMedia: async (asked = {}) => {
    const given = give(asked)
    return { getTracks: () => [given] } as unknown as MediaStream
  },
  enumerateDevices: async () => [{ deviceId: 'm1', kind: 'audioinput', label: 'Desk', groupId: '', toJSON: () => ({}) }],
})

test.each([
  ['NotAllowedError', 'refused'],
  ['NotFoundError', 'missing'],
  ['NotReadableError', 'busy'],
  ['SecurityError', 'insecure'],
  ['SomethingElse', 'failed'],
])('%s means %s', async (name, fault) => {
  expect(faultOf({ name })).toBe(fault)
  const refusing = browser(() => {
    throw Object.assign(new Error(name), { name })
  })
  const devices = new Devices(refusing, null)
  await expect(devices.microphone()).rejects.toMatchObject({ device: 'microphone', fault })
})

test('a page that is not secure has no devices', async () => {
  const devices = new Devices(null, null)
  expect(await devices.list()).toEqual([])
  await expect(devices.camera()).rejects.toEqual(new DeviceFault('camera', 'insecure'))
})

test('a chosen device is asked for, here and after a reload', async () => {
  const kept = new Map<string, string>()
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  const asked: MediaStreamConstraints[] = []
  const source = browser((constraints) => {
    asked.push(constraints)
    return track()
  })
  new Devices(source, storage).choose('microphone', 'm1')
  const devices = new Devices(source, storage)
  expect(await devices.list()).toEqual([{ id: 'm1', kind: 'microphone', name: 'Desk' }])
  await devices.microphone()
  expect(asked).toMatchObject([{ audio: { deviceId: { ideal: 'm1' } } }])
})

test('music goes round without a hole or a double', () => {
  const notes = between(0, 64)
  const pieces = [between(0, 10), between(10, 37.5), between(37.5, 64)].flat()
  expect(pieces.map(({ at }) => at).sort()).toEqual(notes.map(({ at }) => at).sort())
  expect(notes.length).toBe(between(32, 96).length)
})

test('a dash holds a note, and the last one lasts to the end', () => {
  expect(notesOf('c-e---').map(({ at, beats }) => [at, beats])).toEqual([[0, 2], [2, 4]])
})

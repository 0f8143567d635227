import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeviceFault } from './devices'
import { callOf, track, type FakeTrack } from './fakes'
import type { MediaState } from './media'
import { faultOf, PATIENCE_MS, PhoneMedia, qualityOf, type Pass, type PhoneDevice, type PhoneLine } from './softphone'

type Told = (...told: unknown[]) => void

class Source {
  readonly #heard: [string, Told][] = []
  on(event: string, listener: Told): void {
    this.#heard.push([event, listener])
  }
  tell(event: string, ...told: unknown[]): void {
    for (const [name, listener] of this.#heard) if (name === event) listener(...told)
  }
}

class FakeLine extends Source {
  muted = false
  digits = ''
  over = false
  mute = (on: boolean): void => void (this.muted = on)
  sendDigits = (tones: string): void => void (this.digits += tones)
  disconnect = (): void => void (this.over = true)
}

class FakeDevice extends Source {
  readonly line = new FakeLine()
  token = ''
  ticket = ''
  gone = false
  connect = async ({ params }: { params: Record<string, string> }): Promise<PhoneLine> => {
    this.ticket = params['ticket'] ?? ''
    return this.line as unknown as PhoneLine
  }
  updateToken = (token: string): void => void (this.token = token)
  destroy = (): void => void (this.gone = true)
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

function stage(given: { microphone?: Error; pass?: Error } = {}) {
  const made: FakeDevice[] = []
  const tracks: (MediaStreamTrack & FakeTrack)[] = []
  const states: MediaState[] = []
  let passes = 0
  const media = new PhoneMedia(callOf([['a', 'b'], ['b', 'a']], { by: 'phone' }), 'b', {
    pass: async (): Promise<Pass> => {
      if (given.pass) throw given.pass
      passes += 1
      return { token: `token ${passes}`, ticket: `ticket ${passes}`, edge: '', signalling: '' }
    },
    device: async (pass) => {
      const device = new FakeDevice()
      device.token = pass.token
      made.push(device)
      return device as unknown as PhoneDevice
    },
    devices: {
      chosen: () => '',
      microphone: async () => {
        if (given.microphone) throw given.microphone
        tracks.push(track('audio'))
        return tracks.at(-1) as MediaStreamTrack
      },
    },
  }, (state) => states.push(state))
  const last = (): FakeDevice => made.at(-1) as FakeDevice
  const joined = async (): Promise<FakeDevice> => {
    const coming = media.join()
    await settle()
    last().line.tell('accept')
    await coming
    return last()
  }
  return { media, made, tracks, states, last, joined }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it comes in with the ticket, and gives its own microphone back to the softphone', async () => {
  const { media, joined, tracks } = stage()
  const device = await joined()
  expect([device.token, device.ticket]).toEqual(['token 1', 'ticket 1'])
  expect(tracks.map(({ stopped }) => stopped)).toEqual([true])
  expect(media.state).toMatchObject({ joined: true, fault: null, quality: 'good' })
})

test('muting, tones and loudness', async () => {
  const { media, joined } = stage()
  media.mute(true)
  const { line } = await joined()
  expect(line.muted).toBe(true)
  line.tell('volume', 0.5, 0.25)
  expect([media.speaks(), [...media.levels()]]).toEqual([true, [['a', 0.25], ['b', 0]]])
  media.mute(false)
  expect([...media.levels()]).toEqual([['a', 0.25], ['b', 0.5]])
  media.digits('12#')
  expect(line.digits).toBe('12#')
})

test('warnings are the quality', async () => {
  const { media, joined } = stage()
  const { line } = await joined()
  line.tell('warning', 'high-rtt')
  expect(media.state.quality).toBe('fair')
  line.tell('warning', 'high-jitter')
  expect(media.state.quality).toBe('poor')
  line.tell('warning-cleared', 'high-jitter')
  line.tell('warning-cleared', 'high-rtt')
  expect(media.state.quality).toBe('good')
  line.tell('reconnecting')
  expect(media.state.quality).toBe('poor')
  expect(qualityOf(new Set(['low-mos']))).toBe('poor')
})

test('a token that runs out is renewed', async () => {
  const { joined } = stage()
  const device = await joined()
  device.tell('tokenWillExpire')
  await settle()
  expect(device.token).toBe('token 2')
})

test('leaving ends the line and the device; what they say later counts for nothing', async () => {
  const { media, joined } = stage()
  const device = await joined()
  media.leave()
  expect([device.line.over, device.gone, media.state.joined]).toEqual([true, true, false])
  device.line.tell('error', { code: 31005 })
  expect([media.state.fault, media.state.line ?? null]).toEqual([null, null])
})

test.each([
  [{ microphone: new DeviceFault('microphone', 'refused') }, 'microphone: refused'],
  [{ pass: new Error('409') }, 'phone: token'],
])('what fails before it comes in', async (given, fault) => {
  const { media } = stage(given)
  await expect(media.join()).rejects.toThrow(fault)
  const { fault: device, line } = media.state
  expect(device?.message ?? `phone: ${line}`).toBe(fault)
})

test.each([
  [20101, 'phone: token'], [20104, 'phone: token'], [31204, 'phone: token'], [31401, 'microphone: refused'],
  [31402, 'microphone: missing'], [31005, 'phone: network'], [53000, 'phone: network'],
])('error %i of the SDK is %s', async (code, fault) => {
  const { media, last } = stage()
  const coming = media.join()
  await settle()
  last().tell('error', { code })
  await expect(coming).rejects.toThrow(fault)
  expect([faultOf({ code }).message, media.state.joined]).toEqual([fault, false])
})

test('a network that lets nothing through is told in time', async () => {
  const { media } = stage()
  const coming = expect(media.join()).rejects.toThrow('phone: network')
  await vi.advanceTimersByTimeAsync(PATIENCE_MS)
  await coming
  expect(media.state.line).toBe('network')
})

test('a line that ends while the call goes on is told, and can be taken again', async () => {
  const { media, joined, made } = stage()
  const device = await joined()
  device.line.tell('disconnect')
  expect(media.state).toMatchObject({ joined: false, line: 'network' })
  await joined()
  expect([made.length, media.state.joined, media.state.line]).toEqual([2, true, null])
})

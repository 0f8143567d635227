import type { Agent } from '@desk/model/entities'
import { useSession } from '@desk/session/session'
import { useWorld } from '@desk/stream/world'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useMicrophone } from './microphone'

/** A browser's devices, which come and go. */
class Machine extends EventTarget {
  kinds: MediaDeviceKind[] = ['audioinput']
  enumerateDevices = async () => this.kinds.map((kind, at) => ({ deviceId: String(at), kind, label: '' }))
  getUserMedia = async (): Promise<MediaStream> => {
    if (!this.kinds.includes('audioinput')) throw Object.assign(new Error('none'), { name: 'NotFoundError' })
    return { getTracks: () => [{ stop: () => undefined }] } as unknown as MediaStream
  }
}

let machine: Machine
let state: PermissionState
const me = (change: Partial<Agent>): void => void useWorld().world.agent.set('ann', { id: 'ann', presence: 'available', reason: '', ...change } as Agent)
const settled = async (): Promise<void> => {
  for (let at = 0; at < 10; at += 1) await Promise.resolve()
}

beforeEach(() => {
  machine = new Machine()
  state = 'granted'
  vi.stubGlobal('navigator', { mediaDevices: machine, permissions: { query: async () => ({ state, addEventListener: () => undefined }) } })
  setActivePinia(createPinia())
  const session = useSession()
  session.me = { id: 'ann', roles: ['agent'] } as never
  session.hub = { accounts: [{ talks: true, paused: false }] } as never
})
afterEach(() => vi.unstubAllGlobals())

test('a microphone that is gone is told to who is available for calls', async () => {
  me({})
  const microphone = useMicrophone()
  await settled()
  expect(microphone.telling).toBe(false)
  machine.kinds = []
  machine.dispatchEvent(new Event('devicechange'))
  await settled()
  expect(microphone.telling).toBe(true)
  expect(microphone.fault).toMatchObject({ device: 'microphone', fault: 'missing' })
})

test('a desk that opens with a refused microphone says so at once', async () => {
  state = 'denied'
  me({})
  const microphone = useMicrophone()
  await settled()
  expect(microphone.fault).toMatchObject({ fault: 'refused' })
})

test.each([{ presence: 'away' as const }, { reason: 'texts_only' }])('who takes no calls is not told: %o', async (change) => {
  machine.kinds = []
  me(change)
  const microphone = useMicrophone()
  await settled()
  expect(microphone.telling).toBe(false)
})

test('the microphone is tried before calls come, and not where none do', async () => {
  me({ presence: 'away' })
  const microphone = useMicrophone()
  expect(await microphone.works()).toBe(true)
  machine.kinds = []
  expect(await microphone.works()).toBe(false)
  useSession().hub = { accounts: [{ talks: true, paused: true }] } as never
  expect(await microphone.works()).toBe(true)
})

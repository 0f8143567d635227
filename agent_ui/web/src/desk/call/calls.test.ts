import { useSession } from '@desk/session/session'
import { useWorld } from '@desk/stream/world'
import { callOf, FakeConnection, leg, track, type FakeTrack } from '@shared/call/fakes'
import type { CallView, Leg } from '@shared/call/model'
import { flushPromises } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useCalls } from './calls'

const customer = leg('a', { party: 'customer', agent: null })
const calling = (own: Partial<Leg>, change: Partial<CallView> = {}): CallView =>
  callOf([], { legs: [customer, leg('mine', { agent: 'me', ...own })], ...change })
let asked: string[] = []
let given: FakeTrack[] = []
let refuse = ''

beforeEach(() => {
  setActivePinia(createPinia())
  sessionStorage.clear()
  localStorage.clear()
  asked = []
  given = []
  refuse = ''
  vi.stubGlobal('fetch', (path: string, { method }: RequestInit) => {
    asked.push(`${method} ${path.replace('/api/v1', '')}`)
    const body = path.endsWith('/ice') ? '{"servers":[]}' : ''
    return Promise.resolve(new Response(body || null, { status: body ? 200 : 204, headers: { 'Content-Type': 'application/json' } }))
  })
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  const getUserMedia = async (): Promise<MediaStream> => {
    if (refuse) throw Object.assign(new Error(), { name: refuse })
    const made = track()
    given.push(made)
    return { getTracks: () => [made] } as unknown as MediaStream
  }
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia, enumerateDevices: async () => [] }, configurable: true })
  useSession().me = { id: 'me', key: 'me', name: 'Me', language: 'ja', roles: ['agent'], queues: [], teams: [], units: 5 }
})
afterEach(() => {
  useCalls().leave()
  vi.unstubAllGlobals()
})

async function learn(view: CallView): Promise<void> {
  useWorld().learn('call', [view])
  await flushPromises()
}

test('a leg that rings takes the microphone and says that it is there; its end lets the microphone go', async () => {
  const calls = useCalls()
  await learn(calling({ state: 'ringing' }))
  expect(asked).toEqual(['GET /calls/ice', 'POST /calls/call/legs/mine/connected'])
  expect(calls.state.joined).toBe(true)
  await learn(calling({}, { version: 2, state: 'ended' }))
  expect(given.map(({ stopped }) => stopped)).toEqual([true])
  expect(calls.state.joined).toBe(false)
})

test('a tab that had the leg before a reload joins again, without saying that it is there', async () => {
  sessionStorage.setItem('madoguchi.leg', 'mine')
  const calls = useCalls()
  await learn(calling({}))
  expect(calls.state.joined).toBe(true)
  expect(asked).toEqual(['GET /calls/ice'])
})

test('a leg that another tab carries is left to it until somebody asks', async () => {
  const calls = useCalls()
  await learn(calling({}))
  expect(given).toEqual([])
  await calls.join()
  expect(calls.state.joined).toBe(true)
})

test('a refused microphone is shown, and the hub is not told that anybody is there', async () => {
  refuse = 'NotAllowedError'
  const calls = useCalls()
  await learn(calling({ state: 'ringing' }))
  expect(calls.state.fault).toMatchObject({ device: 'microphone', fault: 'refused' })
  expect(asked).toEqual(['GET /calls/ice'])
  refuse = ''
  await calls.join()
  expect(asked.at(-1)).toBe('POST /calls/call/legs/mine/connected')
})

test('advice is not given before one answers', async () => {
  const calls = useCalls()
  await learn(calling({ state: 'ringing', party: 'expert' }))
  expect(given).toEqual([])
  expect(calls.asked?.leg.id).toBe('mine')
  await calls.join(calls.asked)
  expect(asked.at(-1)).toBe('POST /calls/call/legs/mine/connected')
})

test('a muted leg is silent from the first moment', async () => {
  sessionStorage.setItem('madoguchi.leg', 'mine')
  useCalls()
  await learn(calling({ muted: true }))
  expect(given.map(({ enabled }) => enabled)).toEqual([false])
})

test('a telephone call asks the hub how to come in; without an answer the microphone is let go', async () => {
  const calls = useCalls()
  await learn(calling({ state: 'ringing' }, { by: 'phone' }))
  expect(asked).toContain('GET /calls/call/legs/mine/softphone')
  expect(given.map(({ stopped }) => stopped)).toEqual([true])
  expect(calls.state.joined).toBe(false)
  expect(calls.mine?.call.by).toBe('phone')
})

import { fold, Source } from '@desk/stream/fold'
import { useWorld } from '@desk/stream/world'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { useFollowing } from './following'
import { useSession } from './session'
import { useSettings } from './settings'

const me = { id: 'ann', key: 'ann', name: 'Ann', language: 'ja' as const, roles: ['agent' as const], queues: [], teams: [], units: 5 }
const scope = effectScope()

beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})
afterEach(() => scope.stop())

test('an open desk takes over what its person sets at another one', async () => {
  const asked = vi.fn()
  vi.stubGlobal('fetch', asked)
  const settings = useSettings()
  useSession().me = me
  settings.take({})
  scope.run(useFollowing)
  const tell = async (id: string, version: number, preferences: object): Promise<void> => {
    fold(useWorld().world, { entity: 'preferences', id, version, view: { id, version, preferences } }, Source.agent)
    await nextTick()
  }
  await tell('ann', 2, { theme: 'dark', language: 'en', keys: { reply: 'q' }, order: ['page'] })
  expect(settings).toMatchObject({ theme: 'dark', language: 'en', keys: { reply: 'q' }, order: ['page'] })
  await tell('ann', 1, { theme: 'light' })
  await tell('ben', 9, { theme: 'light' })
  expect(settings.theme).toBe('dark')
  expect(asked).not.toHaveBeenCalled()
})

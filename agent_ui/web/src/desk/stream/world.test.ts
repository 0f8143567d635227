import type { Message } from '@desk/model/entities'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'
import { useWorld } from './world'

const message = (id: string, received_at: string, conversation = 'c'): Message =>
  ({ id, version: 1, conversation, received_at, direction: 'out', parts: [] }) as unknown as Message
const SINCE = '2026-11-26T10:00:00Z'
const c: ReadonlySet<string> = new Set(['c'])

beforeEach(() => setActivePinia(createPinia()))

test('what was held and is not told any more is gone, as far back as the answer reaches', () => {
  const world = useWorld()
  world.learn('message', [
    message('older', '2026-11-26T09:00:00Z'),
    message('gone', '2026-11-26T11:00:00Z'),
    message('told', '2026-11-26T12:00:00Z'),
    message('other', '2026-11-26T12:00:00Z', 'd'),
  ])
  world.relearnMessages(c, new Set(world.world.message.keys()), new Set(['told']), SINCE)
  expect([...world.world.message.keys()]).toEqual(['older', 'told', 'other'])
})

test('a reply that went out while the answer was on its way stays', () => {
  const world = useWorld()
  world.learn('message', [message('first', '2026-11-26T11:00:00Z')])
  const held = new Set(world.world.message.keys())
  world.learn('message', [message('reply', '2026-11-26T12:00:00Z')])
  world.relearnMessages(c, held, new Set(['first']), SINCE)
  expect([...world.world.message.keys()]).toEqual(['first', 'reply'])
})

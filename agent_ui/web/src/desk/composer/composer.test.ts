import type { Mode } from '@desk/model/entities'
import { fold, Source } from '@desk/stream/fold'
import { useLink } from '@desk/stream/link'
import { useWorld } from '@desk/stream/world'
import { createPinia, setActivePinia } from 'pinia'
import { nextTick } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useComposer } from './composer'

interface Put {
  mode: Mode
  text: string
}

/** A hub that answers each draft with the next status; after these with 200. */
function hub(...statuses: number[]): Put[] {
  const puts: Put[] = []
  vi.stubGlobal('fetch', (_: string, { body }: RequestInit) => {
    puts.push(JSON.parse(String(body)) as Put)
    const status = statuses.shift() ?? 200
    const answer = status === 200 ? { version: 1 } : { code: `http_${status}` }
    return Promise.resolve(new Response(JSON.stringify(answer), { status, headers: { 'Content-Type': 'application/json' } }))
  })
  return puts
}

/** A desk as after a reload. */
function desk() {
  setActivePinia(createPinia())
  const composer = useComposer()
  useLink().restored(0)
  return composer
}

async function told(text: string | null, version: number, mode: Mode = 'reply'): Promise<void> {
  const view = text === null ? null : { id: 'a:me', conversation: 'a', mode, text, version, at: '' }
  fold(useWorld().world, { entity: 'draft', id: 'a:me', version, view }, Source.agent)
  await nextTick()
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const texts = (puts: Put[]): string[] => puts.map(({ text }) => text)

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  localStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('what is given back stands behind what was there, in order', () => {
  hub()
  const composer = desk()
  composer.write('a', 'now')
  composer.give('a', 'reply', 'first')
  composer.give('a', 'reply', 'second')
  expect(composer.of('a').texts.reply).toBe('now\nfirst\nsecond')
})

test('a draft that goes away with the message before it is saved again', async () => {
  const puts = hub()
  const composer = desk()
  composer.write('a', 'second')
  await pass(500)
  await told('second', 1)
  await told(null, 2)
  await pass(500)
  expect(texts(puts)).toEqual(['second', 'second'])
  expect(composer.of('a').texts.reply).toBe('second')
})

test('a draft that goes away in another tab goes here, too, where nobody is writing', async () => {
  const puts = hub()
  const composer = desk()
  composer.write('a', 'text')
  await pass(500)
  await told('text', 1)
  composer.left('a')
  await told(null, 2)
  await pass(60_000)
  expect(composer.of('a').texts.reply).toBe('')
  expect(texts(puts)).toEqual(['text'])
})

test("an emptied field takes nothing from another tab's draft", async () => {
  const puts = hub()
  const composer = desk()
  composer.write('a', 'reply')
  await told('of the other tab', 1)
  composer.write('a', '')
  await pass(60_000)
  expect(puts).toEqual([])
})

test('an emptied field deletes its own draft', async () => {
  const puts = hub()
  const composer = desk()
  composer.write('a', 'text')
  await pass(500)
  await told('text', 1)
  composer.write('a', '')
  await pass(500)
  expect(texts(puts)).toEqual(['text', ''])
})

test('a passing fault is tried again, later and later', async () => {
  const puts = hub(503, 503, 503)
  const composer = desk()
  composer.write('a', 'text')
  await pass(500)
  expect(puts).toHaveLength(1)
  await pass(999)
  expect(puts).toHaveLength(1)
  await pass(1)
  expect(puts).toHaveLength(2)
  await pass(2_000)
  expect(puts).toHaveLength(3)
  await pass(4_000)
  expect(puts).toHaveLength(4)
  await pass(60_000)
  expect(puts).toHaveLength(4)
})

test.each([403, 404, 413])('%i is told and not asked again; the next edit is tried', async (status) => {
  const puts = hub(status)
  const composer = desk()
  composer.write('a', 'long')
  await pass(60_000)
  expect(puts).toHaveLength(1)
  expect(composer.of('a').refused).toBe(`http_${status}`)
  composer.write('a', 'short')
  await pass(60_000)
  expect(texts(puts)).toEqual(['long', 'short'])
  expect(composer.of('a').refused).toBe('')
})

test('what the hub does not hold survives a reload, of both modes', async () => {
  hub(413)
  const composer = desk()
  composer.write('a', 'reply')
  await pass(500)
  composer.setMode('a', 'note')
  composer.write('a', 'note')
  await pass(500)
  const puts = hub()
  const again = desk()
  await told('note', 1, 'note')
  expect(again.of('a').texts).toEqual({ reply: 'reply', note: 'note' })
  await pass(60_000)
  expect(texts(puts)).not.toContain('')
})

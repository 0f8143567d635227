import { expect, test } from 'vitest'
import { emptyWorld, Source } from './fold'
import { Line, type HelloAnswer, type StreamEvent } from './line'

const event = (pos: number, prev: number | null, id = `c${pos}`, version = pos): StreamEvent => ({
  pos,
  prev,
  type: 'conversation.changed',
  entity: 'conversation',
  id,
  version,
  view: { id, version },
  at: '2026-11-22T05:00:00Z',
})

class FakeWire {
  asked: (number | null)[] = []
  private answers: ((answer: HelloAnswer) => void)[] = []
  hello = (pos: number | null): Promise<HelloAnswer> => {
    this.asked.push(pos)
    return new Promise((resolve) => this.answers.push(resolve))
  }
  async answer(answer: HelloAnswer): Promise<void> {
    this.answers.shift()?.(answer)
    await new Promise((resolve) => setTimeout(resolve))
  }
}

const now = '2026-11-22T05:00:00Z'
const snapshot = (pos: number): HelloAnswer => ({ pos, now, mode: 'snapshot', entities: [] })
const resume = (pos: number, events: StreamEvent[]): HelloAnswer => ({ pos, now, mode: 'resume', events })

async function line() {
  const wire = new FakeWire()
  const world = emptyWorld()
  const told: [changed: number, fresh: boolean][] = []
  const made = new Line(wire, world, Source.agent, {
    ready: (changed, fresh) => told.push([changed, fresh]),
    clock: () => undefined,
    folded: () => undefined,
    failed: () => undefined,
  })
  void made.hello()
  await wire.answer(snapshot(10))
  return { wire, world, line: made, told }
}

test('begins with a snapshot and follows the positions', async () => {
  const desk = await line()
  desk.line.event(event(12, 10))
  desk.line.event(event(15, 12))
  expect(desk.line.pos).toBe(15)
  expect(desk.wire.asked).toEqual([null])
  expect([...desk.world.conversation.keys()]).toEqual(['c12', 'c15'])
})

test('a hole is asked for, from the last position that is whole', async () => {
  const desk = await line()
  desk.line.event(event(14, 12))
  expect(desk.wire.asked).toEqual([null, 10])
  await desk.wire.answer(resume(14, [event(12, 10), event(14, 12)]))
  expect(desk.line.pos).toBe(14)
  expect(desk.told).toEqual([[0, true], [1, false]])
  expect([...desk.world.conversation.keys()].sort()).toEqual(['c12', 'c14'])
})

test('a heartbeat that is further than we are tells of a lost event', async () => {
  const desk = await line()
  desk.line.heartbeat({ pos: 10, now })
  expect(desk.wire.asked).toHaveLength(1)
  desk.line.heartbeat({ pos: 11, now })
  expect(desk.wire.asked).toEqual([null, 10])
})

test('a duplicate changes nothing', async () => {
  const desk = await line()
  desk.line.event(event(12, 10))
  desk.line.event(event(12, 10))
  expect(desk.line.pos).toBe(12)
  expect(desk.wire.asked).toHaveLength(1)
})

test('what comes while a hello is under way follows its answer', async () => {
  const desk = await line()
  void desk.line.hello()
  desk.line.event(event(21, 20, 'early'))
  await desk.wire.answer(snapshot(20))
  expect(desk.line.pos).toBe(21)
  expect([...desk.world.conversation.keys()]).toEqual(['early'])
  expect(desk.wire.asked).toHaveLength(2)
})

test('holes that do not close end in a fresh snapshot', async () => {
  const desk = await line()
  for (const pos of [30, 40, 50]) {
    desk.line.event(event(pos, pos - 1))
    await desk.wire.answer(resume(10, []))
  }
  expect(desk.wire.asked).toEqual([null, 10, 10, null])
})

import { expect, test } from 'vitest'
import { track } from './fakes'
import { Recorder, type Tape } from './recorder'

class FakeTape implements Tape {
  heard: readonly MediaStreamTrack[] = []
  stopped = false

  constructor(readonly part: (part: Blob) => void) {}

  hear(tracks: readonly MediaStreamTrack[]): void {
    this.heard = tracks
  }

  stop(): void {
    this.stopped = true
    this.part(new Blob(['last']))
  }
}

function stage() {
  const tapes: FakeTape[] = []
  const got: string[] = []
  const hub = { there: true }
  let retry: () => void = () => undefined
  let ids = 0
  const send = async (take: string, number: number): Promise<boolean> => {
    if (hub.there) got.push(`${take}/${number}`)
    return hub.there
  }
  const open = (part: (part: Blob) => void): Tape => {
    const tape = new FakeTape(part)
    tapes.push(tape)
    return tape
  }
  const wait = (act: () => void): (() => void) => {
    retry = act
    return () => undefined
  }
  const recorder = new Recorder(send, () => `take${(ids += 1)}`, open, wait)
  return { recorder, tapes, got, hub, again: () => retry() }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

test('a take has its parts in order, the last one too; after a pause another begins', async () => {
  const { recorder, tapes, got } = stage()
  recorder.run(true)
  recorder.run(true)
  tapes[0]?.part(new Blob(['one']))
  recorder.run(false)
  recorder.run(true)
  tapes[1]?.part(new Blob(['two']))
  await settle()
  expect(tapes).toHaveLength(2)
  expect(got).toEqual(['take1/0', 'take1/1', 'take2/0'])
})

test('a part that the hub did not get is sent again, before the next', async () => {
  const { recorder, tapes, got, hub, again } = stage()
  hub.there = false
  recorder.run(true)
  tapes[0]?.part(new Blob(['one']))
  tapes[0]?.part(new Blob(['two']))
  await settle()
  expect(got).toEqual([])
  hub.there = true
  again()
  await settle()
  expect(got).toEqual(['take1/0', 'take1/1'])
})

test('it hears whoever is in the call, also those who were there before it began', () => {
  const { recorder, tapes } = stage()
  const [a, b] = [track(), track()]
  recorder.hear([a])
  recorder.run(true)
  expect(tapes[0]?.heard).toEqual([a])
  recorder.hear([a, b])
  expect(tapes[0]?.heard).toEqual([a, b])
})

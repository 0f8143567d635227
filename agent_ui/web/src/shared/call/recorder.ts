import { later, type Later } from './signals'
import { audio } from './sound'

/** What records sound in a browser. */
export interface Tape {
  /** Records these tracks, and no others, from now on. */
  hear: (tracks: readonly MediaStreamTrack[]) => void
  /** Ends; what was recorded last still comes. */
  stop: () => void
}

/** Begins a tape that gives a part every five seconds; null: this browser has none. */
export type OpenTape = (part: (part: Blob) => void) => Tape | null

/** True: the hub has it, or will never have it. False: it is to be sent again. */
export type SendPart = (take: string, number: number, part: Blob) => Promise<boolean>

const PART_MS = 5_000
const AGAIN_MS = 2_000

/** Mixes tracks and records them as WebM with Opus; the parts, one behind the other, are one file. */
export const openTape: OpenTape = (part) => {
  const context = audio()
  if (!context || typeof MediaRecorder === 'undefined') return null
  const mixed = context.createMediaStreamDestination()
  const sources = new Map<MediaStreamTrack, MediaStreamAudioSourceNode>()
  const recorder = new MediaRecorder(mixed.stream, { mimeType: 'audio/webm;codecs=opus', audioBitsPerSecond: 32_000 })
  recorder.ondataavailable = ({ data }) => {
    if (data.size) part(data)
  }
  recorder.start(PART_MS)
  return {
    hear: (tracks) => {
      for (const [track, source] of sources) {
        if (tracks.includes(track)) continue
        source.disconnect()
        sources.delete(track)
      }
      for (const track of tracks) {
        if (sources.has(track)) continue
        const source = context.createMediaStreamSource(new MediaStream([track]))
        source.connect(mixed)
        sources.set(track, source)
      }
    },
    stop: () => {
      if (recorder.state !== 'inactive') recorder.stop()
      for (const source of sources.values()) source.disconnect()
    },
  }
}

/** Records a call in takes and brings every part to the hub, in order, each until it is there. */
export class Recorder {
  #tape: Tape | null = null
  #tracks: readonly MediaStreamTrack[] = []
  #waiting: { take: string; number: number; part: Blob }[] = []
  #busy = false

  constructor(
    private readonly send: SendPart,
    private readonly newId: () => string,
    private readonly open: OpenTape = openTape,
    private readonly wait: Later = later,
  ) {}

  /** Records, or does not; each time it begins, a new take begins. */
  run(on: boolean): void {
    if (!on) {
      this.#tape?.stop()
      this.#tape = null
      return
    }
    if (this.#tape) return
    const take = this.newId()
    let number = 0
    this.#tape = this.open((part) => {
      this.#waiting.push({ take, number, part })
      number += 1
      void this.#flush()
    })
    this.#tape?.hear(this.#tracks)
  }

  /** Whose sound belongs to the call now. */
  hear(tracks: readonly MediaStreamTrack[]): void {
    this.#tracks = tracks
    this.#tape?.hear(tracks)
  }

  async #flush(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const there = await this.send(next.take, next.number, next.part).catch(() => false)
      if (!there) {
        this.wait(() => void this.#flush(), AGAIN_MS)
        break
      }
      this.#waiting.shift()
    }
    this.#busy = false
  }
}

import { audio } from './sound'

interface Note {
  hertz: number
  /** Beats from the beginning, and how many it lasts. */
  at: number
  beats: number
}

const BEAT_S = 0.5
const LOUD = 0.05
/** How far ahead notes are written down: a page in the background wakes once a second. */
const AHEAD_S = 2.5

const scale = { c: 261.63, d: 293.66, e: 329.63, g: 392, a: 440, C: 523.25 } as const

/** A slow turn of eight bars on five notes, with the fifth below; `-` holds the note. */
const TUNE = 'e-g-a-g- d-e-g--- c-e-g-a- g------- a-C-a-g- e-g-d--- c-d-e-d- c-------'
const BASS = 'c-------a-------c-------g-------c-------g-------a-------c-------'

/** The notes of a line of letters. */
export function notesOf(line: string, octave = 1): Note[] {
  const beats = [...line.replaceAll(' ', '')]
  return beats.flatMap((name, at) => {
    if (!(name in scale)) return []
    const next = beats.findIndex((each, later) => later > at && each !== '-')
    return [{ hertz: scale[name as keyof typeof scale] * octave, at, beats: (next < 0 ? beats.length : next) - at }]
  })
}

const tune = [...notesOf(TUNE), ...notesOf(BASS, 0.5)]
const LENGTH_S = TUNE.replaceAll(' ', '').length * BEAT_S

/** The notes that begin in a span of seconds, the tune going round; `at` in seconds. */
export function between(from: number, to: number): Note[] {
  const found: Note[] = []
  for (let round = Math.floor(from / LENGTH_S); round * LENGTH_S < to; round += 1) {
    for (const note of tune) {
      const at = round * LENGTH_S + note.at * BEAT_S
      if (at >= from && at < to) found.push({ ...note, at })
    }
  }
  return found
}

/** Plays soft music made here, until the returned function is called. */
export function playMusic(context = audio()): () => void {
  if (!context) return () => undefined
  const gain = context.createGain()
  gain.gain.value = LOUD
  gain.connect(context.destination)
  const began = context.currentTime + 0.1
  let written = 0
  const write = (): void => {
    const until = context.currentTime - began + AHEAD_S
    for (const note of between(written, until)) ring(context, gain, began, note)
    written = Math.max(written, until)
  }
  write()
  const timer = setInterval(write, 1_000)
  return () => {
    clearInterval(timer)
    gain.gain.setTargetAtTime(0, context.currentTime, 0.1)
    setTimeout(() => gain.disconnect(), 1_000)
  }
}

function ring(context: AudioContext, into: AudioNode, began: number, { hertz, at, beats }: Note): void {
  const [start, end] = [began + at, began + at + beats * BEAT_S * 1.1]
  const tone = context.createOscillator()
  const loud = context.createGain()
  tone.type = 'triangle'
  tone.frequency.value = hertz
  loud.gain.setValueAtTime(0, start)
  loud.gain.linearRampToValueAtTime(1, start + 0.06)
  loud.gain.exponentialRampToValueAtTime(0.001, end)
  tone.connect(loud).connect(into)
  tone.start(start)
  tone.stop(end)
}

export type Sound = 'offer' | 'ring' | 'message' | 'late'

interface Note {
  hertz: number
  at: number
  length: number
  loud: number
}

const notes: Record<Sound, readonly Note[]> = {
  offer: [
    { hertz: 659.26, at: 0, length: 0.22, loud: 0.22 },
    { hertz: 880, at: 0.18, length: 0.34, loud: 0.22 },
  ],
  ring: [
    { hertz: 523.25, at: 0, length: 0.5, loud: 0.2 },
    { hertz: 659.26, at: 0.12, length: 0.5, loud: 0.2 },
    { hertz: 783.99, at: 0.24, length: 0.7, loud: 0.2 },
    { hertz: 659.26, at: 0.6, length: 0.7, loud: 0.16 },
  ],
  message: [{ hertz: 784, at: 0, length: 0.2, loud: 0.07 }],
  late: [{ hertz: 220, at: 0, length: 0.4, loud: 0.2 }],
}

let context: AudioContext | null = null

/** Plays a sound made here; silent until the page has been touched, as browsers want it. */
export function play(sound: Sound): void {
  if (typeof AudioContext === 'undefined') return
  context ??= new AudioContext()
  if (context.state === 'suspended') void context.resume()
  for (const note of notes[sound]) ring(context, note)
}

function ring(audio: AudioContext, { hertz, at, length, loud }: Note): void {
  const begin = audio.currentTime + at
  const gain = audio.createGain()
  const tone = audio.createOscillator()
  tone.type = 'sine'
  tone.frequency.value = hertz
  gain.gain.setValueAtTime(0, begin)
  gain.gain.linearRampToValueAtTime(loud, begin + 0.02)
  gain.gain.exponentialRampToValueAtTime(0.0001, begin + length)
  tone.connect(gain).connect(audio.destination)
  tone.start(begin)
  tone.stop(begin + length + 0.05)
}

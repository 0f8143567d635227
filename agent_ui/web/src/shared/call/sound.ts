let shared: AudioContext | null = null

/** The page's one audio context; null where there is none. It sounds once the page was touched. */
export function audio(): AudioContext | null {
  if (typeof AudioContext === 'undefined') return null
  shared ??= new AudioContext()
  if (shared.state === 'suspended') void shared.resume().catch(() => undefined)
  return shared
}

export interface Meter {
  /** How loud it is now, 0 to 1. */
  level: () => number
  stop: () => void
}

/** How loud some samples around zero are, 0 to 1: speech fills the middle of the scale. */
export function loudness(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return Math.min(1, Math.sqrt(sum / Math.max(1, samples.length)) * 4)
}

/** Measures a microphone's track, without playing it. */
export function meter(track: MediaStreamTrack, context = audio()): Meter {
  if (!context) return { level: () => 0, stop: () => undefined }
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples)
      return loudness(samples)
    },
    stop: () => source.disconnect(),
  }
}

/** Plays what other legs say, each by an element that stands on no page. */
export class Speakers {
  readonly #players = new Map<string, HTMLAudioElement>()
  readonly #silent = new Set<string>()

  constructor(private readonly output: () => string) {}

  play(leg: string, track: MediaStreamTrack): void {
    const player = this.#players.get(leg) ?? new Audio()
    this.#players.set(leg, player)
    player.srcObject = new MediaStream([track])
    player.muted = this.#silent.has(leg)
    this.#direct(player)
    void player.play().catch(() => undefined)
  }

  /** Whom one hears now: others are silent at once, whatever still comes. */
  only(legs: ReadonlySet<string>): void {
    this.#silent.clear()
    for (const [leg, player] of this.#players) {
      player.muted = !legs.has(leg)
      if (player.muted) this.#silent.add(leg)
    }
  }

  /** Plays on the chosen device from now on, where browsers can choose. */
  redirect(): void {
    for (const player of this.#players.values()) this.#direct(player)
  }

  stop(leg?: string): void {
    for (const [each, player] of this.#players) {
      if (leg !== undefined && each !== leg) continue
      player.pause()
      player.srcObject = null
      this.#players.delete(each)
    }
  }

  #direct(player: HTMLAudioElement): void {
    const id = this.output()
    if (id && 'setSinkId' in player) void player.setSinkId(id).catch(() => undefined)
  }
}

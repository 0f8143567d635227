import { ref, shallowRef } from 'vue'

/** How many of the last samples are kept: the fastest of them is the truest. */
const WINDOW = 8
/** No two samples in a row are so late: one of the two clocks was set. */
const SET_MS = 5000

/**
 * Milliseconds to add to this machine's clock to get the hub's. A sample is late by its way through
 * the network, never early: the greatest difference is the best.
 */
export class ClockOffset {
  private samples: number[] = []

  sample(serverNow: string, localNow: number): void {
    const difference = Date.parse(serverNow) - localNow
    if (!Number.isFinite(difference)) return
    const best = this.ms
    this.samples = [...this.samples, difference].slice(-WINDOW)
    const last = this.samples.slice(-2)
    if (last.length === 2 && last.every((each) => each < best - SET_MS)) this.samples = last
  }

  get ms(): number {
    return this.samples.length ? Math.max(...this.samples) : 0
  }
}

export const clockOffset = new ClockOffset()

/** The hub's time in milliseconds, now. */
export const hubNow = (): number => Date.now() + clockOffset.ms

/** The hub's time, once per second, for whole seconds on pages. */
export const seconds = ref(hubNow())
/** The hub's time four times per second, for rings and bars. */
export const quarters = shallowRef(hubNow())

let ticking: ReturnType<typeof setInterval> | null = null

export function startTicking(): () => void {
  const tick = (): void => {
    const now = hubNow()
    quarters.value = now
    if (Math.floor(now / 1000) !== Math.floor(seconds.value / 1000)) seconds.value = now
  }
  tick()
  ticking ??= setInterval(tick, 250)
  return () => {
    if (ticking) clearInterval(ticking)
    ticking = null
  }
}

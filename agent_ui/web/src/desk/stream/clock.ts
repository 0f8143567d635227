import { ref, shallowRef } from 'vue'

/** How many of the last samples are kept: the fastest of them is the truest. */
const WINDOW = 8
/** No sample is so late unless a line stood still: one of the two clocks was set. */
const SET_MS = 5000

/**
 * Milliseconds to add to this machine's clock to get the hub's. A sample is late by its way through
 * the network, never early: the greatest difference is the best. One that is far below it is
 * followed at once, for the hub tells its time again as soon as it was set; if it was late after
 * all, the next sample puts it right.
 */
export class ClockOffset {
  private samples: number[] = []

  sample(serverNow: string, localNow: number): void {
    const difference = Date.parse(serverNow) - localNow
    if (!Number.isFinite(difference)) return
    const back = this.samples.length > 0 && difference < this.ms - SET_MS
    this.samples = back ? [difference] : [...this.samples, difference].slice(-WINDOW)
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

import type { Attributes, Claim } from './state/model'
import type { Counter } from './talk/counter'

/** What host pages call: `Madoguchi.open()`. */
export interface Api {
  open: () => void
  close: () => void
  identify: (claim: Claim) => Promise<void>
  /** What this page is about, for the rules that choose who answers. */
  describe: (attributes: Attributes) => void
  reset: () => Promise<void>
  /** Takes a call as a list, `['identify', claim]`. */
  push: (...calls: Call[]) => void
}

type Call = [name: 'open' | 'close' | 'reset'] | [name: 'identify', claim: Claim] | [name: 'describe', attributes: Attributes]

/**
 * Makes `window.Madoguchi`. Calls wait until the widget is in the page, and identities until its
 * socket is there. A page that loads the script later may collect calls in a plain list before:
 * `(window.Madoguchi = window.Madoguchi || []).push(['identify', claim])`.
 */
export function expose(target: Window, counter: Promise<Counter>): Api {
  const api: Api = {
    open: () => void counter.then((it) => it.open()),
    close: () => void counter.then((it) => it.close()),
    identify: (claim) => counter.then((it) => it.identify(claim)),
    describe: (attributes) => void counter.then((it) => it.describe(attributes)),
    reset: () => counter.then((it) => it.reset()),
    push: (...calls) => {
      for (const call of calls) {
        if (call[0] === 'identify') void api.identify(call[1])
        else if (call[0] === 'describe') api.describe(call[1])
        else void api[call[0]]?.()
      }
    },
  }
  const holder = target as unknown as { Madoguchi?: unknown }
  const before = holder.Madoguchi
  holder.Madoguchi = api
  if (Array.isArray(before)) api.push(...(before as Call[]))
  return api
}

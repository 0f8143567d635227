import type { OwnKeys } from '@desk/keys/keymap'

/** What a person sets for themselves and finds again on every machine. */
export interface Preferences {
  keys: OwnKeys
  letterKeys: boolean
  enterSends: boolean
  /** Blocks of the customer's panel by name: their order, and those that are folded. */
  order: readonly string[]
  folded: readonly string[]
}

export const firstPreferences: Preferences = {
  keys: {},
  letterKeys: true,
  enterSends: true,
  order: [],
  folded: [],
}

const names: Record<keyof Preferences, string> = {
  keys: 'keys',
  letterKeys: 'letter_keys',
  enterSends: 'enter_sends',
  order: 'order',
  folded: 'folded',
}
const fields = Object.keys(names) as (keyof Preferences)[]

/** What the hub keeps of a person; what was never set is as at first. */
export function fromHub(body: Readonly<Record<string, unknown>> = {}): Preferences {
  const found = fields.filter((field) => body[names[field]] !== undefined).map((field) => [field, body[names[field]]])
  return { ...firstPreferences, ...(Object.fromEntries(found) as Partial<Preferences>) }
}

/** What changed, as the hub takes it; null: nothing. */
export function toHub(before: Preferences, now: Preferences): Record<string, unknown> | null {
  const changed = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(now[field]))
  if (!changed.length) return null
  return Object.fromEntries(changed.map((field) => [names[field], now[field]]))
}

export function preferencesOf(settings: Preferences): Preferences {
  return JSON.parse(JSON.stringify(Object.fromEntries(fields.map((field) => [field, settings[field]])))) as Preferences
}

const SAVE_MS = 400
const AGAIN_MS = 5_000

/** Keeps a person's preferences with the hub: a change a moment later, a failed one again. */
export class Keeper {
  private kept: Preferences | null = null
  private timer: ReturnType<typeof setTimeout> | null = null
  private saving = false

  constructor(
    private readonly now: () => Preferences,
    private readonly put: (changed: Record<string, unknown>) => Promise<unknown>,
    private readonly passing: (error: unknown) => boolean,
  ) {}

  /** What the hub keeps; null while something of this desk is still on its way there. */
  take(body: Readonly<Record<string, unknown>> | undefined): Preferences | null {
    if (this.timer || this.saving) return null
    this.kept = fromHub(body)
    return this.kept
  }

  /** Nobody is signed in any more. */
  forget(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.kept = null
  }

  changed(): void {
    if (this.kept && toHub(this.kept, this.now())) this.plan(SAVE_MS)
  }

  private plan(wait: number): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.save(), wait)
  }

  private async save(): Promise<void> {
    const now = this.now()
    const changed = this.kept && toHub(this.kept, now)
    this.timer = null
    if (!changed) return
    this.saving = true
    try {
      await this.put(changed)
      this.kept &&= now
    } catch (error) {
      if (this.kept && this.passing(error)) this.plan(AGAIN_MS)
    } finally {
      this.saving = false
    }
  }
}

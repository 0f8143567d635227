import type { OwnKeys } from '@desk/keys/keymap'
import type { Locale } from '@shared/locale'
import type { Theme } from '@shared/theme'

/** What a person sets for themselves and finds again on every machine. */
export interface Preferences {
  theme: Theme
  /** Null: what the person's account says, else the browser. */
  language: Locale | null
  keys: OwnKeys
  letterKeys: boolean
  enterSends: boolean
  /** Blocks of the customer's panel by name: their order, and those that are folded. */
  order: readonly string[]
  folded: readonly string[]
}

export const firstPreferences: Preferences = {
  theme: 'system',
  language: null,
  keys: {},
  letterKeys: true,
  enterSends: true,
  order: [],
  folded: [],
}

const names: Record<keyof Preferences, string> = {
  theme: 'theme',
  language: 'language',
  keys: 'keys',
  letterKeys: 'letter_keys',
  enterSends: 'enter_sends',
  order: 'order',
  folded: 'folded',
}
const fields = Object.keys(names) as (keyof Preferences)[]

type Look = Pick<Preferences, 'theme' | 'language'>

/**
 * What the hub keeps of a person; what was never set is as at first. Theme and language that were
 * never set stay as this machine has them: the sign-in page is seen before the hub is asked.
 */
export function fromHub(body: Readonly<Record<string, unknown>> = {}, here: Look = firstPreferences): Preferences {
  const found = fields.filter((field) => body[names[field]] !== undefined).map((field) => [field, body[names[field]]])
  const { theme, language } = here
  return { ...firstPreferences, theme, language, ...(Object.fromEntries(found) as Partial<Preferences>) }
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
  /** What another desk of the person changed while something of this one was on its way. */
  private heard: Readonly<Record<string, unknown>> | null = null

  constructor(
    private readonly now: () => Preferences,
    private readonly put: (changed: Record<string, unknown>) => Promise<unknown>,
    private readonly passing: (error: unknown) => boolean,
    private readonly taken: (kept: Preferences) => void = () => undefined,
  ) {}

  /** Takes what the hub keeps; later, when something of this desk is still on its way there. */
  take(body: Readonly<Record<string, unknown>> = {}): void {
    if (this.timer || this.saving) {
      this.heard = body
      return
    }
    this.kept = fromHub(body, this.now())
    this.taken(this.kept)
  }

  /** Nobody is signed in any more. */
  forget(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.kept = this.heard = null
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
    this.saving = changed !== null
    try {
      if (changed) await this.put(changed)
      this.kept &&= now
      // What was heard meanwhile may be from before ours: ours came later and stays.
      if (this.heard && changed) this.heard = { ...this.heard, ...changed }
    } catch (error) {
      if (this.kept && this.passing(error)) this.plan(AGAIN_MS)
    } finally {
      this.saving = false
    }
    this.catchUp()
  }

  private catchUp(): void {
    const heard = this.heard
    if (!heard || this.timer || !this.kept) return
    this.heard = null
    this.take(heard)
  }
}

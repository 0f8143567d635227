/** An act that keys start, and the key that it has until a person gives it another one. */
export interface KeyBinding {
  act: Act
  first: Key
  group: 'offer' | 'call' | 'move' | 'conversation' | 'desk'
}

/**
 * A key as it is kept: `F2`, `Shift+F2`, `Ctrl+k`, a Latin character, or `g m`, one after the
 * other. Empty: none.
 */
export type Key = string

export type Act =
  | 'accept'
  | 'decline'
  | 'mute'
  | 'hold'
  | 'search'
  | 'searchField'
  | 'next'
  | 'previous'
  | 'reply'
  | 'note'
  | 'transfer'
  | 'end'
  | 'take'
  | 'presence'
  | 'receive'
  | 'inbox'
  | 'board'
  | 'phone'
  | 'list'
  | 'conversation'
  | 'panel'
  | 'help'

/** What a person has given other keys; acts that are not named have their first one. */
export type OwnKeys = Readonly<Record<string, Key>>

export const bindings: readonly KeyBinding[] = [
  { act: 'accept', first: 'F2', group: 'offer' },
  { act: 'decline', first: 'Shift+F2', group: 'offer' },
  { act: 'mute', first: 'F8', group: 'call' },
  { act: 'hold', first: 'Shift+F8', group: 'call' },
  { act: 'next', first: 'j', group: 'move' },
  { act: 'previous', first: 'k', group: 'move' },
  { act: 'list', first: '1', group: 'move' },
  { act: 'conversation', first: '2', group: 'move' },
  { act: 'panel', first: '3', group: 'move' },
  { act: 'inbox', first: 'g m', group: 'move' },
  { act: 'board', first: 'g b', group: 'move' },
  { act: 'phone', first: 'g p', group: 'move' },
  { act: 'reply', first: 'r', group: 'conversation' },
  { act: 'note', first: 'n', group: 'conversation' },
  { act: 'transfer', first: 't', group: 'conversation' },
  { act: 'end', first: 'e', group: 'conversation' },
  { act: 'take', first: 'a', group: 'conversation' },
  { act: 'search', first: 'Ctrl+k', group: 'desk' },
  { act: 'searchField', first: '/', group: 'desk' },
  { act: 'presence', first: 'g 0', group: 'desk' },
  { act: 'receive', first: 'g 1', group: 'desk' },
  { act: 'help', first: '?', group: 'desk' },
]

export const keyOf = (own: OwnKeys, { act, first }: KeyBinding): Key => own[act] ?? first

/** Key → act. */
export function keymap(own: OwnKeys): ReadonlyMap<Key, Act> {
  return new Map(bindings.map((each) => [keyOf(own, each), each.act]))
}

/** A key for people, part by part: `Ctrl` and `K`, or `G` and then `M`. */
export function partsOf(key: Key, mac: boolean): string[] {
  const parts = key.includes(' ') ? key.split(' ') : key.split(/(?<=.)\+/)
  return parts.map((part) => (part === 'Ctrl' && mac ? '⌘' : part.length === 1 ? part.toUpperCase() : part))
}

export const inSequence = (key: Key): boolean => key.includes(' ')

export interface Press {
  key: string
  code: string
  shiftKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  isComposing: boolean
  keyCode: number
}

/** True while an input method owns the keyboard: nobody else may act on this key. */
export const composing = (press: Pick<Press, 'isComposing' | 'keyCode'>): boolean =>
  press.isComposing || press.keyCode === 229

/** The letter or digit of a key: as typed if Latin, else by its place (kana layout). */
export function letterOf(press: Pick<Press, 'key' | 'code'>): string {
  if (/^[\x21-\x7e]$/.test(press.key)) return press.key.toLowerCase()
  const place = /^(?:Key([A-Z])|Digit(\d))$/.exec(press.code)
  return (place?.[1] ?? place?.[2] ?? press.key).toLowerCase()
}

/** The key of one press, null where it is none of ours: modifiers, Alt, an input method's. */
export function pressed(press: Press): Key | null {
  if (composing(press) || press.altKey) return null
  const chord = press.ctrlKey || press.metaKey
  if (/^F([1-9]|1[0-2])$/.test(press.key)) return chord ? null : `${press.shiftKey ? 'Shift+' : ''}${press.key}`
  const letter = letterOf(press)
  if (!/^[\x21-\x7e]$/.test(letter)) return null
  if (chord) return press.ctrlKey !== press.metaKey && !press.shiftKey ? `Ctrl+${letter}` : null
  return press.shiftKey && /[a-z0-9]/.test(letter) ? null : letter
}

/** The key that begins a sequence, and how soon the second one must come. */
export const LEADER = 'g'
const SEQUENCE_MS = 1_200

/** Function keys and chords work while a field has the focus, too. */
const everywhere = (key: Key): boolean => key.startsWith('Ctrl+') || /F\d/.test(key)

/** Turns key presses into acts; keeps in mind that G begins a sequence. */
export class KeyReader {
  private startedAt: number | null = null

  constructor(private readonly keys: () => ReadonlyMap<Key, Act>) {}

  read(press: Press, inField: boolean, letters: boolean, now: number): Act | null {
    const key = pressed(press)
    if (key === null) return null
    if (everywhere(key)) return this.keys().get(key) ?? null
    if (inField || !letters) return null
    const began = this.startedAt !== null && now - this.startedAt <= SEQUENCE_MS
    this.startedAt = null
    if (began) return this.keys().get(`${LEADER} ${key}`) ?? null
    if (key === LEADER) this.startedAt = now
    return this.keys().get(key) ?? null
  }
}

/**
 * Browsers and systems keep the others: F1 help, F3 find, F5 reload, F6 address, F10 menu, F11 full screen, F12 tools; of
 * Ctrl the letters that edit, open, close and reload.
 */
const FREE = /^(?:(?:Shift\+)?F[24789]|Ctrl\+[begikmu]|[\x21-\x7e]|g [\x21-\x7e])$/

export type Given =
  | { kind: 'given'; own: OwnKeys }
  | { kind: 'clash'; act: Act }
  | { kind: 'kept' }

/**
 * Gives an act another key, or none. Refused where another act has the key (`clash` names it), and
 * for keys that belong to the browser or begin sequences (`kept`).
 */
export function give(own: OwnKeys, act: Act, key: Key): Given {
  if (key && (key === LEADER || !FREE.test(key))) return { kind: 'kept' }
  const other = key && bindings.find((each) => each.act !== act && keyOf(own, each) === key)
  if (other) return { kind: 'clash', act: other.act }
  const { [act]: _, ...rest } = own
  const first = bindings.find((each) => each.act === act)?.first
  return { kind: 'given', own: key === first ? rest : { ...rest, [act]: key } }
}

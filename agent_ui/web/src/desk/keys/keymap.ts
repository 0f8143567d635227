/** Acts that keys start; `global` ones work while a field has the focus too. */
export interface KeyBinding {
  act: Act
  /** As shown: parts of a chord, or keys one after the other. */
  keys: readonly string[]
  sequence?: boolean
  group: 'offer' | 'move' | 'conversation' | 'desk'
}

export type Act =
  | 'accept'
  | 'decline'
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
  | 'list'
  | 'conversation'
  | 'panel'
  | 'help'

export const bindings: readonly KeyBinding[] = [
  { act: 'accept', keys: ['F2'], group: 'offer' },
  { act: 'decline', keys: ['Shift', 'F2'], group: 'offer' },
  { act: 'next', keys: ['J'], group: 'move' },
  { act: 'previous', keys: ['K'], group: 'move' },
  { act: 'list', keys: ['1'], group: 'move' },
  { act: 'conversation', keys: ['2'], group: 'move' },
  { act: 'panel', keys: ['3'], group: 'move' },
  { act: 'inbox', keys: ['G', 'M'], sequence: true, group: 'move' },
  { act: 'board', keys: ['G', 'B'], sequence: true, group: 'move' },
  { act: 'reply', keys: ['R'], group: 'conversation' },
  { act: 'note', keys: ['N'], group: 'conversation' },
  { act: 'transfer', keys: ['T'], group: 'conversation' },
  { act: 'end', keys: ['E'], group: 'conversation' },
  { act: 'take', keys: ['A'], group: 'conversation' },
  { act: 'search', keys: ['Ctrl', 'K'], group: 'desk' },
  { act: 'searchField', keys: ['/'], group: 'desk' },
  { act: 'presence', keys: ['G', '0'], sequence: true, group: 'desk' },
  { act: 'receive', keys: ['G', '1'], sequence: true, group: 'desk' },
  { act: 'help', keys: ['?'], group: 'desk' },
]

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

/** A second key of a sequence must come within this time. */
const SEQUENCE_MS = 1_200

const single: Readonly<Record<string, Act>> = {
  j: 'next',
  k: 'previous',
  r: 'reply',
  n: 'note',
  t: 'transfer',
  e: 'end',
  a: 'take',
  '1': 'list',
  '2': 'conversation',
  '3': 'panel',
  '/': 'searchField',
  '?': 'help',
}
const afterG: Readonly<Record<string, Act>> = { m: 'inbox', b: 'board', '0': 'presence', '1': 'receive' }

/** Turns key presses into acts; keeps in mind that G begins a sequence. */
export class KeyReader {
  private startedAt: number | null = null

  read(press: Press, inField: boolean, letters: boolean, now: number): Act | null {
    if (composing(press)) return null
    if (press.key === 'F2' && !press.ctrlKey && !press.metaKey && !press.altKey) {
      return press.shiftKey ? 'decline' : 'accept'
    }
    if (press.ctrlKey !== press.metaKey && !press.altKey && !press.shiftKey) {
      return letterOf(press) === 'k' ? 'search' : null
    }
    if (inField || !letters || press.ctrlKey || press.metaKey || press.altKey) return null
    return this.letter(press, now)
  }

  private letter(press: Press, now: number): Act | null {
    const letter = letterOf(press)
    const began = this.startedAt !== null && now - this.startedAt <= SEQUENCE_MS
    this.startedAt = null
    if (began) return afterG[letter] ?? null
    if (letter === 'g' && !press.shiftKey) {
      this.startedAt = now
      return null
    }
    if (press.shiftKey && letter !== '?') return null
    return single[letter] ?? null
  }
}

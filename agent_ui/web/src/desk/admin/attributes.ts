/** What an agent's attribute may be; a list is written with commas between. */
export type Attribute = string | number | boolean | string[]
export type AttributeKind = 'text' | 'int' | 'bool' | 'texts'

export function kindOf(value: Attribute): AttributeKind {
  if (Array.isArray(value)) return 'texts'
  return typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : 'text'
}

export const written = (value: Attribute): string => (Array.isArray(value) ? value.join(', ') : String(value))

/** A text as an attribute of a kind; what is no number stays a text, and the hub says so. */
export function read(text: string, kind: AttributeKind): Attribute {
  if (kind === 'texts') return text.split(/[,、，]/).map((each) => each.trim()).filter(Boolean)
  if (kind === 'bool') return text === 'true'
  return kind === 'int' && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

import type { Part } from '@desk/model/entities'

/** The words of a message without its files. */
export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
}

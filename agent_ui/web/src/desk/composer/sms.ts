/** GSM 03.38: the basic alphabet, and what takes two places by the escape. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const EXTENDED = new Set('\f^{}\\[~]|€')

export interface Segments {
  encoding: 'gsm7' | 'ucs2'
  /** Places used, and how many the present number of parts holds. */
  used: number
  room: number
  parts: number
  /** The first character that the GSM alphabet lacks, if there is one. */
  forcedBy: string | null
}

/** How an SMS is cut: 160 or 153 GSM places, 70 or 67 UTF-16 units a part (3GPP TS 23.040). */
export function segments(text: string): Segments {
  const characters = [...text]
  const forcedBy = characters.find((each) => !BASIC.has(each) && !EXTENDED.has(each)) ?? null
  const widths = characters.map((each) => {
    if (forcedBy !== null) return each.length
    return EXTENDED.has(each) ? 2 : 1
  })
  const used = widths.reduce((sum, width) => sum + width, 0)
  const [whole, part] = forcedBy === null ? [160, 153] : [70, 67]
  const parts = used <= whole ? 1 : packed(widths, part)
  const encoding = forcedBy === null ? 'gsm7' : 'ucs2'
  return { encoding, used, room: parts === 1 ? whole : parts * part, parts, forcedBy }
}

/** Parts needed when no character may be cut in two. */
function packed(widths: readonly number[], room: number): number {
  let parts = 1
  let filled = 0
  for (const width of widths) {
    if (filled + width > room) {
      parts += 1
      filled = 0
    }
    filled += width
  }
  return parts
}

/** Contrasts as in WCAG 2.2, 1.4.3; colours as [red, green, blue], 0 to 255. */
type Colour = readonly number[]

const WHITE: Colour = [255, 255, 255]
const BLACK: Colour = [0, 0, 0]
const DARK_SURFACE: Colour = [20, 26, 32]

function parse(hex: string): Colour | null {
  if (!/^#[\da-f]{6}$/i.test(hex)) return null
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
}

function luminance(colour: Colour): number {
  const [r = 0, g = 0, b = 0] = colour.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

export function contrast(a: Colour, b: Colour): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

/** `colour` moved towards `end` until its contrast on `ground` is `least`. */
function moved(colour: Colour, end: Colour, ground: Colour, least: number): string {
  for (let share = 0; ; share += 0.02) {
    const mixed = colour.map((part, at) => Math.round(part + ((end[at] ?? 0) - part) * share))
    if (share >= 1 || contrast(mixed, ground) >= least) return `rgb(${mixed.join()})`
  }
}

/**
 * The site's colour as style rules: darkened until white text on it reaches 4.5:1; in the dark a deep
 * fill, and a light tone for buttons. What is laid over it only darkens. Empty where it is no colour
 * or our own.
 */
export function brandSheet(hex: string | null): string {
  const colour = parse(hex ?? '')
  if (!colour || hex?.toUpperCase() === '#165E83') return ''
  const day = moved(colour, BLACK, WHITE, 4.5)
  const fill = moved(colour, BLACK, WHITE, 8.5)
  const tone = moved(colour, WHITE, DARK_SURFACE, 7.5)
  const both = (light: string, dark: string): string => `light-dark(${light},${dark})`
  const brand = both(day, fill)
  const button = both(day, tone)
  return (
    `:host{--brandFill:${brand};--held:${brand};--primary:${button};--primaryHover:${button};` +
    `--onPrimary:${both('#fff', '#0c1014')};--file:rgb(0 0 0/16%)}`
  )
}

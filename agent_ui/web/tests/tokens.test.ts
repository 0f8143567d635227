import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { alias } from '../build/paths.ts'

type Pair = [light: string, dark: string]

const css = readFileSync(`${alias['@shared']}/tokens.css`, 'utf8')
const colours = new Map<string, Pair>()
for (const [, name = '', light = '', dark] of css.matchAll(
  /--([\w-]+): (?:light-dark\()?(#[0-9A-F]{6})(?:, (#[0-9A-F]{6})\))?;/g,
)) {
  colours.set(name, [light, dark ?? light])
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** Contrast ratio of two colours (WCAG 2.2, 1.4.3). */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

function pair(name: string): Pair {
  const found = colours.get(name)
  if (!found) throw new Error(`no token --${name}`)
  return found
}

const text = [
  ['ink', 'surface'], ['ink2', 'surface'], ['ink3', 'surface'], ['ink3', 'canvas'],
  ['primary', 'surface'], ['onPrimary', 'primary'], ['primaryInk', 'primarySoft'],
  ['onBrand', 'brandFill'], ['ok', 'okSoft'], ['warn', 'warnSoft'], ['onWarnFill', 'warnFill'],
  ['bad', 'badSoft'], ['onBad', 'bad'], ['hold', 'holdSoft'], ['noteInk', 'note'],
  ['ink', 'bubbleIn'], ['ink', 'bubbleOut'], ['offerInk', 'offer'], ['offerInk2', 'offer'],
  ['onAccept', 'accept'], ['onCh', 'ch-voice'], ['onCh', 'ch-chat'], ['onCh', 'ch-sms'],
] as const

test.each(text)('%s on %s is readable in both themes (4.5)', (front, back) => {
  const [front1, front2] = pair(front)
  const [back1, back2] = pair(back)
  expect(contrast(front1, back1)).toBeGreaterThanOrEqual(4.5)
  expect(contrast(front2, back2)).toBeGreaterThanOrEqual(4.5)
})

test('the edge of a control is seen in both themes (3.0)', () => {
  const [light, dark] = pair('line2')
  const [surface1, surface2] = pair('surface')
  expect(contrast(light, surface1)).toBeGreaterThanOrEqual(3)
  expect(contrast(dark, surface2)).toBeGreaterThanOrEqual(3)
})

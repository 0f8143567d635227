import { expect, test } from 'vitest'
import { brandSheet, contrast } from './colour'

const parts = (sheet: string) =>
  [...sheet.matchAll(/rgb\(([\d,]+)\)/g)].map(([, list = '']) => list.split(',').map(Number))

test.each(['#FFD400', '#06C755', '#E60012', '#808080', '#FFFFFF', '#000000'])(
  'white on %s is readable, in the day and at night, and so are buttons at night',
  (colour) => {
    const [day = [], fill = [], , , , tone = []] = parts(brandSheet(colour))
    expect(contrast(day, [255, 255, 255])).toBeGreaterThanOrEqual(4.5)
    expect(contrast(fill, [242, 247, 250])).toBeGreaterThanOrEqual(4.5)
    expect(contrast(tone, [12, 16, 20])).toBeGreaterThanOrEqual(4.5)
  },
)

test.each([null, '', 'red', '#12', '#165E83', '#fff}*{}'])('%s changes nothing', (colour) => {
  expect(brandSheet(colour)).toBe('')
})

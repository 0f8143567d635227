import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { web } from '../build/paths.ts'
import { iconBodies } from '../build/widget-plugins.ts'
import { callIcons, deskIcons, widgetIcons } from '../src/shared/icons.ts'

test('every icon that the desk names is in the bundle', () => {
  const folder = join(web, 'src/desk')
  const bundled = new Set<string>(deskIcons)
  const missing = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(vue|ts)$/.test(name))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/\b(?:i-lucide-|lucide:)([a-z0-9-]+)/g),
    ])
    .map((match) => match[1] ?? '')
    .filter((name) => !bundled.has(name))
  expect(missing).toEqual([])
})

test('every icon of the widget exists', () => {
  expect(Object.values(iconBodies([...widgetIcons, ...callIcons])).every((body) => body.startsWith('<'))).toBe(true)
})

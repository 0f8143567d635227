import { createRequire } from 'node:module'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IconifyJSON } from '@iconify/types'
import { getIconData } from '@iconify/utils'
import type { PluginOption } from 'vite'
import { widgetIcons } from '../src/shared/icons.ts'

const id = 'virtual:widget-icons'

/** How all of them are drawn: the style sheet says it once. */
const drawn = ' fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" stroke-width="2"'

/** The bodies of the 24×24 icons that the widget draws, by name; an unknown name stops the build. */
export function widgetIconBodies(): Record<string, string> {
  const file = createRequire(import.meta.url).resolve('@iconify-json/lucide/icons.json')
  const collection = JSON.parse(readFileSync(file, 'utf8')) as IconifyJSON
  return Object.fromEntries(
    widgetIcons.map((name) => {
      const icon = getIconData(collection, name)
      if (!icon) throw new Error(`Lucide has no icon "${name}" (src/shared/icons.ts)`)
      return [name, icon.body.replaceAll(drawn, '').replaceAll(/<\/?g>/g, '')]
    }),
  )
}

const widgetStyles = fileURLToPath(new URL('../src/widget/styles', import.meta.url))

/** The tokens that the widget's styles use, with those that these use in turn; the others go. */
export function usedTokens(tokens: string): string {
  const uses = (css: string): string[] =>
    [...css.matchAll(/var\((--[\w-]+)/g)].map(([, name = '']) => name)
  const values = new Map(
    [...tokens.matchAll(/^\s*(--[\w-]+):([^;]*);/gm)].map(([, name = '', value = '']) => [name, value]),
  )
  const used = new Set<string>()
  const add = (name: string): void => {
    if (used.has(name)) return
    used.add(name)
    uses(values.get(name) ?? '').forEach(add)
  }
  for (const file of readdirSync(widgetStyles)) {
    uses(readFileSync(join(widgetStyles, file), 'utf8')).forEach(add)
  }
  return tokens.replace(/^\s*(--[\w-]+):[^;]*;.*$/gm, (line, name: string) =>
    used.has(name) ? line : '',
  )
}

export function widgetPlugins(): PluginOption[] {
  return [
    {
      name: 'madoguchi:widget-icons',
      resolveId: (source) => (source === id ? `\0${id}` : null),
      load: (source) =>
        source === `\0${id}` ? `export default ${JSON.stringify(widgetIconBodies())}` : null,
    },
    {
      name: 'madoguchi:widget-tokens',
      enforce: 'pre',
      transform: (code, source) =>
        /\/shared\/tokens\.css\b/.test(source) ? { code: usedTokens(code), map: null } : null,
    },
  ]
}

import { createRequire } from 'node:module'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IconifyJSON } from '@iconify/types'
import { getIconData } from '@iconify/utils'
import type { PluginOption } from 'vite'
import { callIcons, widgetIcons } from '../src/shared/icons.ts'
import { alias } from './paths.ts'


/** How all of them are drawn: the style sheet says it once. */
const drawn = ' fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" stroke-width="2"'

/** The bodies of some 24×24 icons, by name; an unknown name stops the build. */
export function iconBodies(names: readonly string[]): Record<string, string> {
  const file = createRequire(import.meta.url).resolve('@iconify-json/lucide/icons.json')
  const collection = JSON.parse(readFileSync(file, 'utf8')) as IconifyJSON
  return Object.fromEntries(
    names.map((name) => {
      const icon = getIconData(collection, name)
      if (!icon) throw new Error(`Lucide has no icon "${name}" (src/shared/icons.ts)`)
      return [name, icon.body.replaceAll(drawn, '').replaceAll(/<\/?g>/g, '')]
    }),
  )
}

type Words = Record<string, string>

/** The catalogues of some pages as a module: the names of the texts stand in it once for all languages. */
export function wordsModule(section: string): string {
  const locales = ['en', 'ja']
  const found = locales.map((locale) => {
    const file = join(alias['@catalogue'], `${locale}.json`)
    return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Words>)[section] ?? {}
  })
  const names = Object.keys(found[0] ?? {})
  const texts = locales.map((locale, at) => `${locale}:of(${JSON.stringify(names.map((name) => found[at]?.[name]))})`)
  return `const names=${JSON.stringify(names.join(' '))}.split(' ')
const of=texts=>Object.fromEntries(names.map((name,at)=>[name,texts[at]]))
export default {${texts.join()}}`
}

const folder = (path: string): string => fileURLToPath(new URL(`../src/widget/${path}`, import.meta.url))

/** The tokens that the style sheets in a folder use, with those that these use in turn; the others go. */
export function usedTokens(tokens: string, styles: string): string {
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
  for (const file of readdirSync(styles).filter((name) => name.endsWith('.css'))) {
    uses(readFileSync(join(styles, file), 'utf8')).forEach(add)
  }
  return tokens.replace(/^\s*(--[\w-]+):[^;]*;.*$/gm, (line, name: string) =>
    used.has(name) ? line : '',
  )
}

const modules: Record<string, () => string> = {
  'virtual:widget-icons': () => `export default ${JSON.stringify(iconBodies(widgetIcons))}`,
  'virtual:widget-words': () => wordsModule('widget'),
  'virtual:call-icons': () => `export default ${JSON.stringify(iconBodies(callIcons))}`,
  'virtual:call-words': () => wordsModule('widgetCall'),
}

/** What the widget's scripts are built with; `styles` is the folder of their style sheets. */
export function widgetPlugins(styles = 'styles'): PluginOption[] {
  return [
    {
      name: 'madoguchi:widget-modules',
      resolveId: (source) => (source in modules ? `\0${source}` : null),
      load: (source) => modules[source.replace('\0', '')]?.() ?? null,
    },
    {
      name: 'madoguchi:widget-tokens',
      enforce: 'pre',
      transform: (code, source) =>
        /\/shared\/tokens\.css\b/.test(source) ? { code: usedTokens(code, folder(styles)), map: null } : null,
    },
  ]
}

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import type { IconifyJSON } from '@iconify/types'
import { getIconData } from '@iconify/utils'
import type { PluginOption } from 'vite'
import { widgetIcons } from '../src/shared/icons.ts'

const id = 'virtual:widget-icons'

/** The bodies of the 24×24 icons that the widget draws, by name; an unknown name stops the build. */
export function widgetIconBodies(): Record<string, string> {
  const file = createRequire(import.meta.url).resolve('@iconify-json/lucide/icons.json')
  const collection = JSON.parse(readFileSync(file, 'utf8')) as IconifyJSON
  return Object.fromEntries(
    widgetIcons.map((name) => {
      const icon = getIconData(collection, name)
      if (!icon) throw new Error(`Lucide has no icon "${name}" (src/shared/icons.ts)`)
      return [name, icon.body]
    }),
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
  ]
}

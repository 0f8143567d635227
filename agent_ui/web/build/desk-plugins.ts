import { join } from 'node:path'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import type { PluginOption } from 'vite'
import { deskIcons } from '../src/shared/icons.ts'
import { generated } from './paths.ts'
import { theme } from './theme.ts'

/**
 * Nuxt UI paints its palette with an inline style element at run time, which the
 * content security policy forbids. Our palette is src/desk/nuxt-ui.css instead.
 */
function withoutInlinePalette(): PluginOption {
  const empty = '\0madoguchi:no-inline-palette'
  return {
    name: 'madoguchi:no-inline-palette',
    enforce: 'pre',
    resolveId: (id) => (/@nuxt\/ui\/dist\/runtime\/plugins\/colors(\.js)?$/.test(id) ? empty : null),
    load: (id) => (id === empty ? 'export default { install() {} }' : null),
  }
}

export function deskPlugins(): PluginOption[] {
  return [
    withoutInlinePalette(),
    vue(),
    ui({
      autoImport: { dts: join(generated, 'auto-imports.d.ts') },
      colorMode: false,
      components: { dts: join(generated, 'components.d.ts') },
      icon: { clientBundle: { icons: deskIcons.map((name) => `i-lucide-${name}`) } },
      ui: {
        ...theme,
        colors: {
          primary: 'primary',
          secondary: 'secondary',
          success: 'success',
          info: 'info',
          warning: 'warning',
          error: 'error',
          neutral: 'neutral',
        },
      },
    }),
  ]
}

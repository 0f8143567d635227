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

/**
 * The notices' place takes the focus at F8, which belongs to the input method and to calls, and it
 * has an English name; neither can be set through Nuxt UI.
 */
function withoutNoticesKey(): PluginOption {
  const name = "() => () => document.documentElement.lang === 'ja' ? '通知' : 'Notifications'"
  return {
    name: 'madoguchi:no-notices-key',
    transform(code, id) {
      if (!/reka-ui\/dist\/Toast\/ToastViewport\.js/.test(id)) return null
      const changed = code.replace('() => ["F8"]', '() => []').replace('"Notifications ({hotkey})"', name)
      if (changed.length === code.length) this.error('ToastViewport is not as it was')
      return { code: changed, map: null }
    },
  }
}

export function deskPlugins(): PluginOption[] {
  return [
    withoutInlinePalette(),
    withoutNoticesKey(),
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

import { defineConfig } from 'vite'
import { compressed } from './build/compressed.ts'
import { alias, web, widgetOut } from './build/paths.ts'
import { widgetPlugins } from './build/widget-plugins.ts'

/** The widget's part that makes calls: a module of its own, which the widget loads when it is first of use. */
export default defineConfig({
  root: web,
  publicDir: false,
  plugins: [widgetPlugins('call'), compressed()],
  resolve: { alias },
  define: { 'process.env.NODE_ENV': '"production"' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: widgetOut,
    emptyOutDir: false,
    reportCompressedSize: false,
    target: 'es2022',
    lib: { entry: 'src/widget/call/main.tsx', formats: ['es'], fileName: () => 'widget-call.js' },
  },
})

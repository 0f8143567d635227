import { defineConfig } from 'vite'
import { compressed } from './build/compressed.ts'
import { alias, web, widgetOut } from './build/paths.ts'
import { widgetPlugins } from './build/widget-plugins.ts'

export default defineConfig({
  root: web,
  publicDir: false,
  plugins: [widgetPlugins(), compressed()],
  resolve: { alias },
  define: { 'process.env.NODE_ENV': '"production"' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: widgetOut,
    emptyOutDir: true,
    reportCompressedSize: false,
    target: 'es2022',
    lib: {
      entry: 'src/widget/main.tsx',
      name: 'MadoguchiWidget',
      formats: ['iife'],
      fileName: () => 'widget.js',
    },
  },
})

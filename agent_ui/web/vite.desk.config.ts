import { defineConfig } from 'vite'
import { compressed } from './build/compressed.ts'
import { deskPlugins } from './build/desk-plugins.ts'
import { alias, deskOut, web } from './build/paths.ts'

const hub = `http://127.0.0.1:${process.env.MADOGUCHI_PORT ?? '8080'}`

export default defineConfig({
  root: web,
  base: '/',
  plugins: [deskPlugins(), compressed()],
  resolve: { alias },
  build: {
    outDir: deskOut,
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: ['chrome123', 'edge123', 'firefox128', 'safari17.5'],
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': hub,
      '/demo': hub,
      '/live': { target: hub, ws: true },
      '/widget': { target: hub, ws: true },
    },
  },
})

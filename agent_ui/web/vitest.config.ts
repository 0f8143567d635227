import { defineConfig } from 'vitest/config'
import { deskPlugins } from './build/desk-plugins.ts'
import { alias, web } from './build/paths.ts'
import { widgetPlugins } from './build/widget-plugins.ts'

export default defineConfig({
  root: web,
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'files',
          environment: 'node',
          include: ['tests/**/*.test.ts', 'src/shared/**/*.test.ts'],
        },
      },
      {
        plugins: deskPlugins(),
        resolve: { alias },
        test: { name: 'desk', environment: 'jsdom', include: ['src/desk/**/*.test.ts'] },
      },
      {
        plugins: widgetPlugins(),
        resolve: { alias },
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        test: {
          name: 'widget',
          environment: 'jsdom',
          include: ['src/widget/**/*.test.{ts,tsx}'],
        },
      },
    ],
  },
})

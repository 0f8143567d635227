import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { deskOut, widgetOut } from '../build/paths.ts'

interface Chunk {
  file: string
  imports?: string[]
  dynamicImports?: string[]
}

const KB = 1000
/** What an agent's first page loads besides the entry; names as in manifest.json. */
const firstPages = ['src/desk/shell/DeskShell.vue', 'src/desk/InboxPage.vue', '../../madoguchi/i18n/catalogue/ja.json']

const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')
const gzipped = (folder: string, name: string) => gzipSync(read(folder, name)).length

function firstLoad(): string[] {
  const manifest = JSON.parse(read(deskOut, 'manifest.json')) as Record<string, Chunk>
  const files = new Set<string>()
  const visit = (key: string): void => {
    const chunk = manifest[key]
    if (!chunk) throw new Error(`the build has no chunk ${key}`)
    if (files.has(chunk.file)) return
    files.add(chunk.file)
    chunk.imports?.forEach(visit)
  }
  for (const key of ['index.html', ...firstPages]) visit(key)
  return [...files].filter((file) => file.endsWith('.js'))
}

test('the widget is at most 30 KB gzipped', () => {
  const size = gzipped(widgetOut, 'widget.js')
  console.info(`widget.js: ${(size / KB).toFixed(1)} KB gzipped`)
  expect(size).toBeLessThanOrEqual(30 * KB)
})

test("the widget's folder holds its script and the part that makes calls, and no style sheet", () => {
  expect(readdirSync(widgetOut)).toEqual(['widget-call.js', 'widget-call.js.gz', 'widget.js', 'widget.js.gz'])
})

test('the part that makes calls is at most 25 KB gzipped, and a module that needs nothing else', () => {
  const size = gzipped(widgetOut, 'widget-call.js')
  console.info(`widget-call.js: ${(size / KB).toFixed(1)} KB gzipped`)
  expect(size).toBeLessThanOrEqual(25 * KB)
  expect(read(widgetOut, 'widget-call.js')).not.toMatch(/\bimport\s*[{*"']/)
})

test("the desk's first load is at most 400 KB of script gzipped", () => {
  const files = firstLoad()
  const size = files.reduce((sum, file) => sum + gzipped(deskOut, file), 0)
  console.info(`desk: ${(size / KB).toFixed(1)} KB gzipped in ${files.length} scripts`)
  expect(size).toBeLessThanOrEqual(400 * KB)
})

test('the page has no inline script, no inline style and no other host', () => {
  const page = read(deskOut, 'index.html')
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/)
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/)
  expect(page).not.toMatch(/https?:\/\//)
})

test('style sheets load nothing from elsewhere', () => {
  for (const name of readdirSync(join(deskOut, 'assets')).filter((file) => file.endsWith('.css'))) {
    expect(read(deskOut, `assets/${name}`)).not.toMatch(/(?:url\(|@import)\s*["']?(?:https?:|\/\/)/)
  }
})

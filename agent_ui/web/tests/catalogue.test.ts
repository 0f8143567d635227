import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { alias } from '../build/paths.ts'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix + key
    if (typeof value === 'string') found.set(path, value)
    else for (const [inner, text] of flat(value, `${path}.`)) found.set(inner, text)
  }
  return found
}

function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()
}

const folder = alias['@catalogue']
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const read = (name: string) =>
  flat(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Tree)
const reference = read('ja.json')

test('there is a Japanese and an English catalogue', () => {
  expect(files).toEqual(expect.arrayContaining(['en.json', 'ja.json']))
})

test.each(files)('%s has the same keys as ja.json and no empty text', (name) => {
  const catalogue = read(name)
  expect([...catalogue.keys()].sort()).toEqual([...reference.keys()].sort())
  expect([...catalogue].filter(([, text]) => text.trim() === '').map(([key]) => key)).toEqual([])
})

test.each(files)('%s has the same placeholders as ja.json', (name) => {
  const catalogue = read(name)
  const differing = [...reference]
    .filter(([key, text]) => {
      const other = placeholders(catalogue.get(key) ?? '')
      return placeholders(text).join() !== other.join()
    })
    .map(([key]) => key)
  expect(differing).toEqual([])
})

test('half-width Latin marks do not slip into Japanese', () => {
  const wrong = [...reference].filter(([, text]) => /[ぁ-んァ-ヶ一-龠][(),!?:]/.test(text))
  expect(wrong).toEqual([])
})

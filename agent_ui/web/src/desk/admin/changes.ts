import type { Body } from './config'

const plain = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether two values of a configuration are the same; the order of keys does not matter. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, at) => same(each, b[at]))
  }
  if (!plain(a) || !plain(b)) return a === b
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => same(a[key], b[key]))
}

/** The fields in which two bodies differ; entries of maps are counted one by one. */
export function differing(before: Body, after: Body): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return keys.flatMap((key) => {
    const [old, now] = [before[key], after[key]]
    if (same(old, now)) return []
    if (!plain(old) || !plain(now)) return [key]
    return differing(old, now).map((inner) => `${key}.${inner}`)
  })
}

export interface Merge {
  body: Body
  /** Fields that both changed, differently: mine is kept, theirs is shown. */
  clashes: string[]
  /** Fields that only the other person changed: taken over. */
  taken: string[]
}

/** Puts my changes of `base` on top of what somebody else has saved since. */
export function rebased(base: Body, mine: Body, theirs: Body): Merge {
  const merge: Merge = { body: structuredClone(theirs), clashes: [], taken: [] }
  const keys = new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(theirs)])
  for (const key of keys) {
    const iChanged = !same(base[key], mine[key])
    const theyChanged = !same(base[key], theirs[key])
    if (iChanged) merge.body[key] = structuredClone(mine[key])
    if (iChanged && theyChanged && !same(mine[key], theirs[key])) merge.clashes.push(key)
    else if (theyChanged && !iChanged) merge.taken.push(key)
  }
  return merge
}

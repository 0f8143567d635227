/** A call's flow as its editor sees it: steps by name, the ways between them, and what each kind asks for. */

export type Step = Record<string, unknown> & { do: string }
export type Steps = Record<string, Step>
export interface Flow { start: string; steps: Steps }
export interface Choice { key: string; to: string; value: string; phrases: string[] }
export interface Case { when: string; open: string; closed: string; to: string }

/** How a field is asked for; a number has its unit and bounds, a choice its names. */
export interface Field {
  name: string
  as: 'text' | 'lines' | 'number' | 'step' | 'queue' | 'choice' | 'choices' | 'cases' | 'keep'
  unit?: 'seconds' | 'times'
  least?: number
  most?: number
  choices?: readonly string[]
  optional?: boolean
}

const said: Field[] = [{ name: 'text', as: 'lines' }, { name: 'text_en', as: 'lines', optional: true }]
const asking: Field[] = [
  { name: 'timeout_s', as: 'number', unit: 'seconds', least: 1, most: 60 },
  { name: 'tries', as: 'number', unit: 'times', least: 1, most: 5 },
  { name: 'otherwise', as: 'step' },
]
const queue: Field = { name: 'queue', as: 'queue', optional: true }

export const FIELDS: Record<string, readonly Field[]> = {
  say: [...said, { name: 'next', as: 'step' }],
  menu: [...said, { name: 'name', as: 'text', optional: true }, { name: 'choices', as: 'choices' }, ...asking],
  ask: [
    ...said, { name: 'name', as: 'text' }, { name: 'input', as: 'choice', choices: ['digits', 'speech'] },
    { name: 'least', as: 'number', least: 1, most: 32 }, { name: 'most', as: 'number', least: 1, most: 32 }, { name: 'next', as: 'step' }, ...asking,
  ],
  branch: [{ name: 'cases', as: 'cases' }, { name: 'otherwise', as: 'step' }],
  queue: [...said, queue, { name: 'priority', as: 'number', least: 1, most: 100, optional: true }],
  callback: [...said, queue, ...asking],
  voicemail: [...said, queue, { name: 'most_s', as: 'number', unit: 'seconds', least: 5, most: 600 }],
  message: [...said, { name: 'sms', as: 'lines' }, { name: 'sms_en', as: 'lines', optional: true }, { name: 'otherwise', as: 'step' }],
  lookup: [
    { name: 'url', as: 'text' }, { name: 'keep', as: 'keep' }, { name: 'timeout_s', as: 'number', unit: 'seconds', least: 1, most: 10 },
    { name: 'next', as: 'step' }, { name: 'otherwise', as: 'step' },
  ],
  hang_up: said,
}
export const KINDS = Object.keys(FIELDS)

const FIRST: Record<string, Record<string, unknown>> = {
  say: { text: '', next: '' },
  menu: { text: '', name: '', choices: [{ key: '1', to: '', value: '', phrases: [] }], timeout_s: 6, tries: 2, otherwise: '' },
  ask: { text: '', name: '', input: 'digits', least: 1, most: 20, next: '', timeout_s: 6, tries: 2, otherwise: '' },
  branch: { cases: [{ when: '', open: '', closed: '', to: '' }], otherwise: '' },
  queue: { text: '', queue: '', priority: null },
  callback: { text: '', queue: '', timeout_s: 6, tries: 2, otherwise: '' },
  voicemail: { text: '', queue: '', most_s: 120 },
  message: { text: '', sms: '{link}', otherwise: '' },
  lookup: { url: 'https://', keep: {}, timeout_s: 3, next: '', otherwise: '' },
  hang_up: { text: '' },
}

/** A new step of a kind, with what its fields hold at first. */
export const fresh = (kind: string): Step => ({ do: kind, ...structuredClone(FIRST[kind] ?? {}) })

/** What a step becomes when it is to do something else: what both kinds have stays. */
export function turned(step: Step, kind: string): Step {
  const next = fresh(kind)
  for (const name of Object.keys(next)) if (name !== 'do' && name in step) next[name] = step[name]
  return next
}

/** The steps that may follow one, in the order in which its fields name them. */
export function ways(step: Step): string[] {
  const found: unknown[] = []
  for (const field of FIELDS[step.do] ?? []) {
    const value = step[field.name]
    if (field.as === 'step') found.push(value)
    else if (field.as === 'choices' || field.as === 'cases') for (const each of (value ?? []) as { to: string }[]) found.push(each.to)
  }
  return [...new Set(found.filter((to): to is string => typeof to === 'string' && to !== ''))]
}

/** The steps as callers come to them, nearest first; what nobody comes to stands at the end. */
export function inOrder({ start, steps }: Flow): string[] {
  const found = new Set<string>()
  const line = start in steps ? [start] : []
  for (const key of line) {
    if (found.has(key)) continue
    found.add(key)
    line.push(...ways(steps[key] as Step).filter((to) => to in steps && !found.has(to)))
  }
  return [...found, ...Object.keys(steps).filter((key) => !found.has(key))]
}

function pointed(step: Step, to: (old: string) => string): Step {
  const found: Step = { ...step }
  for (const field of FIELDS[step.do] ?? []) {
    const value = step[field.name]
    if (field.as === 'step' && typeof value === 'string') found[field.name] = to(value)
    else if ((field.as === 'choices' || field.as === 'cases') && Array.isArray(value)) {
      found[field.name] = (value as { to: string }[]).map((each) => ({ ...each, to: to(each.to) }))
    }
  }
  return found
}

const repointed = (flow: Flow, to: (old: string) => string): Flow => ({
  start: to(flow.start), steps: Object.fromEntries(Object.entries(flow.steps).map(([key, step]) => [to(key), pointed(step, to)])),
})

/** The flow with a step under another name; whoever led to it still does. A name that is taken changes nothing. */
export function renamed(flow: Flow, old: string, name: string): Flow {
  if (!name || name in flow.steps) return flow
  return repointed(flow, (key) => (key === old ? name : key))
}

/** The flow without a step; the ways to it lead nowhere, and the check says so. */
export function without(flow: Flow, gone: string): Flow {
  const { [gone]: _, ...steps } = flow.steps
  return repointed({ start: flow.start, steps }, (key) => (key === gone ? '' : key))
}

/** A name for a new step that no other has. */
export function freeName(steps: Steps, kind: string): string {
  const base = kind.replace('_', '-')
  let name = base
  for (let number = 2; name in steps; number++) name = `${base}-${number}`
  return name
}

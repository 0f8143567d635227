import type { About } from '../state/model'
import { snapshot } from '../state/samples'
import { Kept } from './kept'
import { Fault, type OfflineForm, type Rest } from './rest'
import type { Connect, Hears, Wire } from './wire'

export const about: About = {
  name: 'みなと珈琲店',
  name_en: 'Minato Coffee',
  language: 'ja',
  greeting: 'いらっしゃいませ。',
  greeting_en: 'Welcome.',
  online: true,
  wait_min: null,
  open: true,
  opens: null,
  time_zone: 'Asia/Tokyo',
  upload_limit: 1000,
  text_limit: 100,
  color: '#165E83',
  topics: [{ key: 'returns', open: true, name: '返品窓口', name_en: 'Returns' }],
}

type Body = Record<string, unknown>

/** A hub's socket that answers as it is told; `asked` is what it was asked. */
export class FakeWire implements Wire {
  readonly asked: [name: string, body: Body][] = []
  answers: Record<string, (body: Body) => unknown> = { hello: () => snapshot(0) }
  closed = false
  hears!: Hears
  auth!: () => object

  readonly connect: Connect = (auth, hears) => {
    Object.assign(this, { auth, hears, closed: false })
    return this
  }

  emit(name: string, body: object): void {
    this.asked.push([name, body as Body])
  }

  async ask<T>(name: string, body: object): Promise<T> {
    this.asked.push([name, body as Body])
    const answer = this.answers[name]?.(body as Body) ?? { ok: true }
    if (answer instanceof Error) throw answer
    return (await answer) as T
  }

  close(): void {
    this.closed = true
  }

  /** The bodies of what was asked under a name. */
  bodies(name: string): Body[] {
    return this.asked.filter(([one]) => one === name).map(([, body]) => body)
  }
}

/** A hub's REST; every visitor gets another token. */
export class FakeRest implements Rest {
  tokens = 0
  forms: OfflineForm[] = []
  fault: Fault | null = null
  site: About = about
  told: ((percent: number) => void) | null = null

  about(): Promise<About> {
    return this.fault ? Promise.reject(this.fault) : Promise.resolve(this.site)
  }

  session(): Promise<string> {
    if (this.fault) return Promise.reject(this.fault)
    this.tokens += 1
    return Promise.resolve(`token-${this.tokens}`)
  }

  async offline(_token: string, form: OfflineForm): Promise<void> {
    this.forms.push(form)
    if (this.fault) throw this.fault
  }

  link(_token: string, file: string): Promise<string> {
    return Promise.resolve(`https://hub.example/files/${file}`)
  }

  async upload(_token: string, file: Blob, name: string, told: (percent: number) => void) {
    told(50)
    this.told = told
    if (this.fault) throw this.fault
    return { id: `stored-${name}`, name, media_type: file.type, size: file.size }
  }
}

export function kept(): Kept {
  return new Kept('shop', () => localStorage)
}

export const later = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** An answer of the hub that is an error (RFC 9457), or no answer at all (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail)
  }

  /** True if the same call may succeed later without a change. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

export interface Answer<T> {
  body: T
  etag: string | null
}

interface Options {
  body?: unknown
  form?: FormData
  ifMatch?: string | number | undefined
  signal?: AbortSignal
}

const state = { csrf: '', ended: (): void => undefined }

export function setCsrf(token: string): void {
  state.csrf = token
}

export const csrf = (): string => state.csrf

/** Names what happens when the hub says that nobody is signed in any more. */
export function onSessionEnd(ended: () => void): void {
  state.ended = ended
}

function headersOf(method: string, options: Options): Headers {
  const headers = new Headers({ Accept: 'application/json' })
  if (options.body !== undefined) headers.set('Content-Type', 'application/json')
  if (method !== 'GET' && state.csrf) headers.set('X-CSRF-Token', state.csrf)
  if (options.ifMatch !== undefined) headers.set('If-Match', `"${options.ifMatch}"`)
  return headers
}

function factsOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

function problemOf(response: Response, text: string): Problem {
  const facts = factsOf(text)
  const code = typeof facts['code'] === 'string' ? facts['code'] : `http_${response.status}`
  const detail = typeof facts['detail'] === 'string' ? facts['detail'] : response.statusText
  return new Problem(response.status, code, detail, facts)
}

/**
 * A connection that takes the question and gives no answer is as good as none after this time. After
 * a broken network the browser may hold several of them: what only reads is asked again, on the next.
 */
const PATIENCE_MS = 20_000
const READING_MS = [3_000, 6_000, 12_000, PATIENCE_MS]

/** Asks once, and reads the whole answer: what is cut in the middle was not answered. */
async function exchange(path: string, init: RequestInit, patience: number | null): Promise<[Response, string]> {
  const signals = init.signal ? [init.signal] : []
  if (patience !== null) signals.push(AbortSignal.timeout(patience))
  const response = await fetch(`/api/v1${path}`, signals.length ? { ...init, signal: AbortSignal.any(signals) } : init)
  return [response, await response.text()]
}

async function patiently(path: string, init: RequestInit, patience: readonly (number | null)[]): Promise<[Response, string]> {
  const [now = null, ...later] = patience
  try {
    return await exchange(path, init, now)
  } catch (error) {
    const silent = error instanceof DOMException && error.name === 'TimeoutError'
    if (silent && later.length) return patiently(path, init, later)
    throw new Problem(0, 'unreachable', error instanceof Error ? error.message : '')
  }
}

async function send(method: string, path: string, options: Options): Promise<[Response, string]> {
  const body = options.form ?? (options.body === undefined ? null : JSON.stringify(options.body))
  const init: RequestInit = { method, headers: headersOf(method, options), body }
  if (options.signal) init.signal = options.signal
  const [response, text] = await patiently(path, init, options.form ? [null] : method === 'GET' ? READING_MS : [PATIENCE_MS])
  if (response.ok) return [response, text]
  const problem = problemOf(response, text)
  if (problem.code === 'not_signed_in') state.ended()
  throw problem
}

/** Calls the hub; the body of the answer, or undefined for 204. Throws `Problem`. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  return (await callWithTag<T>(method, path, options)).body
}

export async function callWithTag<T>(
  method: string,
  path: string,
  options: Options = {},
): Promise<Answer<T>> {
  const [response, text] = await send(method, path, options)
  const json = response.headers.get('Content-Type')?.includes('json')
  const body = (json && text ? JSON.parse(text) : text || undefined) as T
  return { body, etag: response.headers.get('ETag') }
}

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

async function problemOf(response: Response): Promise<Problem> {
  const facts = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const code = typeof facts['code'] === 'string' ? facts['code'] : `http_${response.status}`
  const detail = typeof facts['detail'] === 'string' ? facts['detail'] : response.statusText
  return new Problem(response.status, code, detail, facts)
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const body = options.form ?? (options.body === undefined ? null : JSON.stringify(options.body))
  const init: RequestInit = { method, headers: headersOf(method, options), body }
  if (options.signal) init.signal = options.signal
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, init)
  } catch (error) {
    throw new Problem(0, 'unreachable', error instanceof Error ? error.message : '')
  }
  if (response.ok) return response
  const problem = await problemOf(response)
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
  const response = await send(method, path, options)
  const text = response.status === 204 ? '' : await response.text()
  const json = response.headers.get('Content-Type')?.includes('json')
  const body = (json && text ? JSON.parse(text) : text || undefined) as T
  return { body, etag: response.headers.get('ETag') }
}

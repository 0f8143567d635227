import type { About, Attributes, StoredFile } from '../state/model'

/** An answer that is an error: the problem's `code`, or `network` without an answer. */
export class Fault extends Error {
  constructor(
    readonly code: string,
    readonly status = 0,
  ) {
    super(code)
  }
}

export interface OfflineForm {
  id: string
  name: string
  mail: string
  text: string
  language: string
  attributes?: Attributes
}

export interface Rest {
  about: () => Promise<About>
  session: (language: string) => Promise<string>
  offline: (token: string, form: OfflineForm) => Promise<void>
  /** The address of a file, good for a few minutes. */
  link: (token: string, file: string) => Promise<string>
  upload: (
    token: string,
    file: Blob,
    name: string,
    told: (percent: number) => void,
  ) => Promise<StoredFile>
}

/** The widget's REST at `base`. Without cookies, from any page. */
export function rest(base: string): Rest {
  return {
    about: () => call<About>(base),
    session: async (language) => {
      const { token } = await call<{ token: string }>(`${base}/session`, { language })
      return token
    },
    offline: (token, form) => call(`${base}/offline`, form, token),
    link: async (token, file) => {
      const { url } = await call<{ url: string }>(`${base}/files/${file}`, undefined, token)
      return new URL(url, base).href
    },
    upload: (token, file, name, told) => upload(`${base}/files`, token, file, name, told),
  }
}

async function call<T>(url: string, body?: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = {}
  if (body) headers['Content-Type'] = 'application/json'
  if (token) headers['Authorization'] = `Bearer ${token}`
  const request: RequestInit = { headers, credentials: 'omit' }
  if (body) Object.assign(request, { method: 'POST', body: JSON.stringify(body) })
  let answer: Response
  try {
    answer = await fetch(url, request)
  } catch {
    throw new Fault('network')
  }
  const text = await answer.text().catch(() => '')
  if (!answer.ok) throw new Fault(codeOf(text), answer.status)
  return (text ? JSON.parse(text) : undefined) as T
}

/** By XMLHttpRequest: fetch does not tell how much has gone. */
function upload(
  url: string,
  token: string,
  file: Blob,
  name: string,
  told: (percent: number) => void,
): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append('file', file, name)
    request.open('POST', url)
    request.setRequestHeader('Authorization', `Bearer ${token}`)
    request.upload.onprogress = ({ loaded, total }) => told(Math.floor((loaded / total) * 100))
    request.onerror = () => reject(new Fault('network'))
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as StoredFile)
      else reject(new Fault(codeOf(request.responseText), request.status))
    }
    request.send(form)
  })
}

function codeOf(text: string): string {
  try {
    return String((JSON.parse(text) as { code?: string }).code ?? 'network')
  } catch {
    return 'network'
  }
}

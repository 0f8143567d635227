import { csrf, Problem } from './api'

export interface Uploaded {
  id: string
  name: string
  media_type: string
  size: number
}

/** Sends a file with progress from 0 to 1. fetch() tells no progress, hence XMLHttpRequest. */
export function upload(
  conversation: string,
  file: File,
  progress: (part: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/api/v1/files?conversation=${encodeURIComponent(conversation)}`)
    request.setRequestHeader('X-CSRF-Token', csrf())
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0)
    request.onload = () => {
      const body = request.response as Record<string, unknown> | null
      if (request.status < 300) return resolve(body as unknown as Uploaded)
      reject(new Problem(request.status, String(body?.['code'] ?? 'failed'), String(body?.['detail'] ?? '')))
    }
    request.onerror = () => reject(new Problem(0, 'unreachable', ''))
    signal.addEventListener('abort', () => request.abort())
    const form = new FormData()
    form.append('file', file)
    request.send(form)
  })
}

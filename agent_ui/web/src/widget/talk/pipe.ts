export interface Pipe {
  send: (packet: string) => void
  close: () => void
}

export interface PipeHears {
  packet: (packet: string) => void
  /** Broken, or closed by the hub; told once, and not after `close`. */
  broken: () => void
}

export type OpenPipe = (url: string, hears: PipeHears) => Pipe

/** Engine.IO 4 over a websocket: one frame, one packet. */
export const websocketPipe: OpenPipe = (url, hears) => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}?EIO=4&transport=websocket`)
  socket.onmessage = ({ data }) => hears.packet(String(data))
  socket.onclose = () => hears.broken()
  return {
    send: (packet) => socket.send(packet),
    close: () => {
      socket.onmessage = socket.onclose = null
      socket.close()
    },
  }
}

const BETWEEN = '\x1e'

/** Engine.IO 4 by long polling, where a proxy lets no websocket through. */
export const pollingPipe: OpenPipe = (url, hears) => {
  const stop = new AbortController()
  const waiting: string[] = []
  let sid = ''
  let posting = false
  const call = async (body?: string): Promise<string> => {
    const options: RequestInit = { credentials: 'omit', signal: stop.signal }
    if (body !== undefined) Object.assign(options, { method: 'POST', body })
    const answer = await fetch(`${url}?EIO=4&transport=polling${sid && `&sid=${sid}`}`, options)
    if (!answer.ok) throw new Error(String(answer.status))
    return answer.text()
  }
  const broken = (): void => {
    if (stop.signal.aborted) return
    stop.abort()
    hears.broken()
  }
  const hear = (packet: string): void => {
    if (packet.startsWith('0')) ({ sid } = JSON.parse(packet.slice(1)) as { sid: string })
    hears.packet(packet)
  }
  const poll = async (): Promise<void> => {
    while (!stop.signal.aborted) (await call()).split(BETWEEN).forEach(hear)
  }
  const post = async (): Promise<void> => {
    if (posting) return
    posting = true
    while (waiting.length) await call(waiting.splice(0).join(BETWEEN))
    posting = false
  }
  poll().catch(broken)
  return {
    send: (packet) => {
      waiting.push(packet)
      post().catch(broken)
    },
    close: () => stop.abort(),
  }
}

export type Fault = 'refused' | 'missing' | 'busy' | 'insecure' | 'failed'
export type DeviceKind = 'microphone' | 'camera' | 'speaker'

export interface Device {
  id: string
  kind: DeviceKind
  /** Empty until the page may use such a device. */
  name: string
}

/** A device that cannot be used, and why. */
export class DeviceFault extends Error {
  constructor(
    readonly device: DeviceKind | 'screen',
    readonly fault: Fault,
  ) {
    super(`${device}: ${fault}`)
  }
}

const faults: Record<string, Fault> = {
  NotAllowedError: 'refused',
  SecurityError: 'insecure',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

/** Why a browser gave no device. */
export const faultOf = (error: unknown): Fault =>
  faults[(error as { name?: string } | null)?.name ?? ''] ?? 'failed'

const kinds: Record<MediaDeviceKind, DeviceKind> = {
  audioinput: 'microphone',
  videoinput: 'camera',
  audiooutput: 'speaker',
}

/** What is needed of `navigator.mediaDevices`; null where a page is not secure. */
export type Source = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'> &
  Partial<Pick<MediaDevices, 'getDisplayMedia'>>

const KEY = 'madoguchi.devices'
const sound: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
const picture: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24 } }

/** Microphone, camera and speaker: which there are, which were chosen, and their tracks. */
export class Devices {
  constructor(
    private readonly source: Source | null,
    private readonly kept: Pick<Storage, 'getItem' | 'setItem'> | null,
  ) {}

  async list(): Promise<Device[]> {
    const found = (await this.source?.enumerateDevices()) ?? []
    return found.map(({ deviceId, kind, label }) => ({ id: deviceId, kind: kinds[kind], name: label }))
  }

  /** Whether there is no device of a kind, as far as a page may know. */
  async lacks(kind: DeviceKind): Promise<boolean> {
    return this.source !== null && !(await this.list()).some((each) => each.kind === kind)
  }

  /** The chosen device's id; empty: the system's own choice. */
  chosen(kind: DeviceKind): string {
    return this.#choices()[kind] ?? ''
  }

  choose(kind: DeviceKind, id: string): void {
    try {
      this.kept?.setItem(KEY, JSON.stringify({ ...this.#choices(), [kind]: id }))
    } catch {
      // A browser that keeps nothing asks again next time.
    }
  }

  microphone(): Promise<MediaStreamTrack> {
    return this.#track('microphone', { audio: this.#constraints('microphone', sound) })
  }

  camera(): Promise<MediaStreamTrack> {
    return this.#track('camera', { video: this.#constraints('camera', picture) })
  }

  /** What the person chooses of their screen; a DeviceFault `refused` where they choose nothing. */
  async screen(): Promise<MediaStreamTrack> {
    if (!this.source?.getDisplayMedia) throw new DeviceFault('screen', 'missing')
    const stream = await this.source.getDisplayMedia({ video: true }).catch((error: unknown) => {
      throw new DeviceFault('screen', faultOf(error))
    })
    return only(stream, 'screen')
  }

  async #track(kind: 'microphone' | 'camera', constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
    if (!this.source) throw new DeviceFault(kind, 'insecure')
    const stream = await this.source.getUserMedia(constraints).catch((error: unknown) => {
      throw new DeviceFault(kind, faultOf(error))
    })
    return only(stream, kind)
  }

  /** A chosen device that is not there any more gives way to another. */
  #constraints(kind: DeviceKind, wanted: MediaTrackConstraints): MediaTrackConstraints {
    const id = this.chosen(kind)
    return id ? { ...wanted, deviceId: { ideal: id } } : wanted
  }

  #choices(): Partial<Record<DeviceKind, string>> {
    try {
      return JSON.parse(this.kept?.getItem(KEY) ?? '{}') as Partial<Record<DeviceKind, string>>
    } catch {
      return {}
    }
  }
}

function only(stream: MediaStream, device: DeviceKind | 'screen'): MediaStreamTrack {
  const [track] = stream.getTracks()
  if (!track) throw new DeviceFault(device, 'missing')
  return track
}

import type { Device, DeviceKind, Devices, Fault } from '@shared/call/devices'
import { DeviceFault } from '@shared/call/devices'
import type { CallChannel } from '@shared/call/model'
import { meter, type Meter } from '@shared/call/sound'
import { Store } from '../talk/store'

export interface Checked {
  channel: CallChannel
  /** The browser is asking the visitor. */
  asking: boolean
  sound: MediaStreamTrack | null
  picture: MediaStreamTrack | null
  microphone: Fault | null
  camera: Fault | null
  devices: readonly Device[]
}

/** The look at the devices before a call; null: there is none. */
export class Check {
  readonly store = new Store<Checked | null>(null)
  #meter: Meter | null = null

  constructor(
    private readonly devices: Devices,
    private readonly measure: (track: MediaStreamTrack) => Meter = (track) => meter(track),
  ) {}

  async open(channel: CallChannel): Promise<void> {
    this.close()
    this.store.set({ channel, asking: true, sound: null, picture: null, microphone: null, camera: null, devices: [] })
    await this.#sound()
    if (channel === 'video') await this.#picture()
    this.#change({ asking: false, devices: await this.devices.list() })
  }

  /** Takes another device, now and in the call. */
  async choose(kind: DeviceKind, id: string): Promise<void> {
    this.devices.choose(kind, id)
    if (kind === 'microphone') await this.#sound()
    if (kind === 'camera') await this.#picture()
  }

  /** How loud the visitor is, 0 to 1. */
  level(): number {
    return this.#meter?.level() ?? 0
  }

  close(): void {
    this.#meter?.stop()
    this.#meter = null
    this.store.value?.sound?.stop()
    this.store.value?.picture?.stop()
    this.store.set(null)
  }

  async #sound(): Promise<void> {
    this.#meter?.stop()
    this.#meter = null
    this.store.value?.sound?.stop()
    try {
      const sound = await this.devices.microphone()
      if (!this.store.value) return sound.stop()
      this.#meter = this.measure(sound)
      this.#change({ sound, microphone: null })
    } catch (error) {
      this.#change({ sound: null, microphone: faultIn(error) })
    }
  }

  async #picture(): Promise<void> {
    this.store.value?.picture?.stop()
    try {
      const picture = await this.devices.camera()
      if (!this.store.value) return picture.stop()
      this.#change({ picture, camera: null })
    } catch (error) {
      this.#change({ picture: null, camera: faultIn(error) })
    }
  }

  #change(change: Partial<Checked>): void {
    if (this.store.value) this.store.set({ ...this.store.value, ...change })
  }
}

const faultIn = (error: unknown): Fault => (error instanceof DeviceFault ? error.fault : 'failed')

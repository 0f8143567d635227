import type { CallSeen, Signal } from './model'
import { DeviceFault, type Devices } from './devices'
import { Mesh } from './mesh'
import type { Recorder } from './recorder'
import type { Link, PartnerPorts } from './partner'
import type { Quality } from './quality'
import { meter as measure, type Meter, type Speakers } from './sound'

/** What carries the sound of one leg: peer connections of browsers, or a telephone provider. */
export interface Media {
  /** Takes the microphone. Rejects with a DeviceFault. */
  join: () => Promise<void>
  /** Lets everything go. */
  leave: () => void
  mute: (on: boolean) => void
  /** Sends keypad tones. */
  digits: (text: string) => void
  /** How loud each leg is now, the own one included, 0 to 1. */
  levels: () => ReadonlyMap<string, number>
  /** Whether somebody speaks who is muted. */
  speaks: () => boolean
  /** Takes the call as it stands now. */
  update: (call: CallSeen) => void
  /** Takes what another browser of the call says. */
  hear?: (signal: Signal) => void
  /** Shows the camera, or nothing. Rejects with a DeviceFault. */
  camera?: (on: boolean) => Promise<void>
  /** Shows the screen in place of the camera, until the browser's own button ends it, too. */
  screen?: (on: boolean, ended: () => void) => Promise<void>
  /** Records what is said here, or does not. */
  record?: (on: boolean) => void
  /** Takes the microphone that is chosen now. */
  changeMicrophone?: () => Promise<void>
}

export type LineFault = 'token' | 'network'

/** What can be seen of a call's media. */
export interface MediaState {
  joined: boolean
  links: ReadonlyMap<string, Link>
  /** A device that does not work. */
  fault: DeviceFault | null
  /** Why a telephone provider does not let this page in. */
  line?: LineFault | null
  /** Another page of the same person carries the call. */
  elsewhere: boolean
  quality: Quality | null
  /** Pictures by leg, the own one included. */
  pictures: ReadonlyMap<string, MediaStreamTrack>
}

export const noMedia: MediaState = {
  joined: false,
  links: new Map(),
  fault: null,
  elsewhere: false,
  quality: null,
  pictures: new Map(),
}

export interface WebPorts extends PartnerPorts {
  devices: Devices
  speakers: Pick<Speakers, 'play' | 'only' | 'stop'>
  /** Who does not record has none. */
  recorder?: Pick<Recorder, 'run' | 'hear'>
  meter?: ((track: MediaStreamTrack) => Meter) | undefined
}

const QUALITY_MS = 2_000

/** The media of a leg in a browser: microphone, camera, screen, and a mesh of connections. */
export class WebMedia implements Media {
  state: MediaState = noMedia
  #mesh: Mesh | null = null
  #call: CallSeen
  #microphone: MediaStreamTrack | null = null
  #picture: MediaStreamTrack | null = null
  #meter: Meter | null = null
  #muted = false
  readonly #voices = new Map<string, MediaStreamTrack>()
  #asking: ReturnType<typeof setInterval> | null = null

  constructor(
    call: CallSeen,
    private readonly me: string,
    private readonly ports: WebPorts,
    private readonly told: (state: MediaState) => void,
  ) {
    this.#call = call
  }

  async join(): Promise<void> {
    try {
      this.#take(await this.ports.devices.microphone())
    } catch (error) {
      this.#failed(error)
      throw error
    }
    this.#mesh ??= this.#begin()
    this.#share()
    this.#tell({ joined: true, fault: null, elsewhere: false })
    this.update(this.#call)
  }

  leave(): void {
    if (this.#asking) clearInterval(this.#asking)
    this.#mesh?.close()
    this.#mesh = null
    this.#meter?.stop()
    this.#microphone?.stop()
    this.#picture?.stop()
    this.#microphone = this.#picture = this.#meter = null
    this.ports.speakers.stop()
    this.ports.recorder?.run(false)
    this.#voices.clear()
    this.#tell({ ...noMedia, elsewhere: this.state.elsewhere })
  }

  mute(on: boolean): void {
    this.#muted = on
    if (this.#microphone) this.#microphone.enabled = !on
  }

  /** Between browsers there is nobody who would understand tones: nothing happens. */
  digits(_: string): void {
    return
  }

  levels(): ReadonlyMap<string, number> {
    const own = this.#muted ? 0 : (this.#meter?.level() ?? 0)
    return new Map([...(this.#mesh?.levels() ?? []), [this.me, own]])
  }

  update(call: CallSeen): void {
    this.#call = call
    this.#mesh?.update(call)
    this.ports.speakers.only(this.#sources())
  }

  hear(signal: Signal): void {
    this.#mesh?.hear(signal)
  }

  speaks(): boolean {
    return this.#muted && (this.#meter?.level() ?? 0) > 0.15
  }

  camera(on: boolean): Promise<void> {
    return this.#show(on ? () => this.ports.devices.camera() : null)
  }

  screen(on: boolean, ended: () => void): Promise<void> {
    return this.#show(on ? () => this.ports.devices.screen() : null, ended)
  }

  record(on: boolean): void {
    this.ports.recorder?.run(on)
  }

  async changeMicrophone(): Promise<void> {
    if (this.#microphone) await this.join().catch(() => undefined)
  }

  async #show(open: (() => Promise<MediaStreamTrack>) | null, ended = (): void => undefined): Promise<void> {
    try {
      const track = open ? await open() : null
      this.#picture?.stop()
      this.#picture = track
      track?.addEventListener('ended', () => this.#picture === track && ended(), { once: true })
    } catch (error) {
      this.#failed(error)
      throw error
    }
    this.#see(this.me, this.#picture)
    this.#share()
  }

  #begin(): Mesh {
    const mesh = new Mesh(this.#call.id, this.me, this.ports, {
      link: () => this.#tell({ links: mesh.links() }),
      track: (leg, track) => this.#arrived(leg, track),
      gone: (leg) => this.#gone(leg),
      taken: () => this.#taken(),
    })
    this.#asking = setInterval(() => void mesh.quality().then((quality) => this.#heardBy(mesh, quality)), QUALITY_MS)
    return mesh
  }

  #heardBy(mesh: Mesh, quality: Quality | null): void {
    if (this.#mesh === mesh && quality !== this.state.quality) this.#tell({ quality })
  }

  #take(track: MediaStreamTrack): void {
    this.#meter?.stop()
    this.#microphone?.stop()
    this.#microphone = track
    track.enabled = !this.#muted
    track.addEventListener('ended', () => {
      if (this.#microphone === track) this.#failed(new DeviceFault('microphone', 'missing'))
    })
    this.#meter = (this.ports.meter ?? measure)(track)
  }

  #arrived(leg: string, track: MediaStreamTrack): void {
    if (track.kind === 'video') return this.#see(leg, track)
    this.ports.speakers.play(leg, track)
    this.#voices.set(leg, track)
    this.#recordable()
    this.ports.speakers.only(this.#sources())
  }

  /** Whom this leg hears. */
  #sources(): ReadonlySet<string> {
    return new Set(this.#call.hears.flatMap(([from, to]) => (to === this.me ? [from] : [])))
  }

  #gone(leg: string): void {
    this.ports.speakers.stop(leg)
    this.#voices.delete(leg)
    this.#recordable()
    this.#see(leg, null)
    this.#tell({ links: this.#mesh?.links() ?? new Map() })
  }

  #taken(): void {
    this.state = { ...this.state, elsewhere: true }
    this.leave()
  }

  #see(leg: string, track: MediaStreamTrack | null): void {
    const pictures = new Map(this.state.pictures)
    if (track) pictures.set(leg, track)
    else pictures.delete(leg)
    this.#tell({ pictures })
  }

  #share(): void {
    this.#mesh?.share({ audio: this.#microphone, video: this.#picture })
    this.#recordable()
  }

  #recordable(): void {
    const own = this.#microphone ? [this.#microphone] : []
    this.ports.recorder?.hear([...own, ...this.#voices.values()])
  }

  #failed(error: unknown): void {
    if (error instanceof DeviceFault) this.#tell({ fault: error })
  }

  #tell(change: Partial<MediaState>): void {
    this.state = { ...this.state, ...change }
    this.told(this.state)
  }
}

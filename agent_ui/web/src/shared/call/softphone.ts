import { DeviceFault, type Devices, type Fault } from './devices'
import { noMedia, type LineFault, type Media, type MediaState } from './media'
import type { CallSeen } from './model'
import type { Quality } from './quality'

/** An SDK's events have no types of their own. */
type Listener = (...told: any[]) => void

/** What is needed of a call of a provider's softphone. */
export interface PhoneLine {
  on: (event: string, listener: Listener) => unknown
  mute: (on: boolean) => void
  sendDigits: (tones: string) => void
  disconnect: () => void
}

/** What is needed of a provider's softphone. */
export interface PhoneDevice {
  on: (event: string, listener: Listener) => unknown
  connect: (options: { params: Record<string, string> }) => Promise<PhoneLine>
  updateToken: (token: string) => void
  destroy: () => void
}

/** What the hub gives a browser so that it comes into a call. */
export interface Pass {
  token: string
  ticket: string
  /** Where its signalling is, if not everywhere: a place of the provider, or another host. */
  edge: string
  signalling: string
}

export interface PhonePorts {
  pass: () => Promise<Pass>
  device: (pass: Pass, chosen: Pick<Devices, 'chosen'>) => Promise<PhoneDevice>
  devices: Pick<Devices, 'microphone' | 'chosen'>
}

/** A line that cannot be had, and why. */
export class PhoneFault extends Error {
  constructor(readonly fault: LineFault) {
    super(`phone: ${fault}`)
  }
}

/** So long a browser tries to come in before it says that the network does not let it. */
export const PATIENCE_MS = 20_000
const SPEECH = 0.15

/** Codes of Twilio's SDK: https://www.twilio.com/docs/api/errors, 201xx tokens, 314xx microphones. */
export function faultOf(error: unknown): DeviceFault | PhoneFault {
  if (error instanceof DeviceFault || error instanceof PhoneFault) return error
  const code = (error as { code?: number } | null)?.code ?? 0
  const microphones: Record<number, Fault> = { 31401: 'refused', 31402: 'missing', 31208: 'refused', 31201: 'failed' }
  const microphone = microphones[code]
  if (microphone) return new DeviceFault('microphone', microphone)
  const token = (code >= 20101 && code < 20200) || (code >= 31202 && code <= 31207)
  return new PhoneFault(token ? 'token' : 'network')
}

/** How good a line is about which the SDK has warned so. */
export function qualityOf(warnings: ReadonlySet<string>): Quality {
  if (!warnings.size) return 'good'
  return warnings.size > 1 || warnings.has('low-mos') || warnings.has('low-bytes-received') ? 'poor' : 'fair'
}

/** The media of a leg whose sound is at a telephone provider: its softphone in this browser. */
export class PhoneMedia implements Media {
  state: MediaState = noMedia
  #call: CallSeen
  #device: PhoneDevice | null = null
  #line: PhoneLine | null = null
  #muted = false
  #volume: [own: number, others: number] = [0, 0]
  #warnings = new Set<string>()

  constructor(
    call: CallSeen,
    private readonly me: string,
    private readonly ports: PhonePorts,
    private readonly told: (state: MediaState) => void,
  ) {
    this.#call = call
  }

  async join(): Promise<void> {
    this.#drop()
    try {
      // Asked for here, so that a refusal is told apart from a network that lets nothing through.
      const microphone = await this.ports.devices.microphone()
      microphone.stop()
      await this.#connect(await this.#pass())
    } catch (error) {
      this.#drop()
      throw this.#failed(error)
    }
    this.#tell({ joined: true, fault: null, line: null, quality: 'good' })
  }

  leave(): void {
    this.#drop()
    this.#tell(noMedia)
  }

  mute(on: boolean): void {
    this.#muted = on
    this.#line?.mute(on)
  }

  digits(tones: string): void {
    this.#line?.sendDigits(tones)
  }

  /** The provider mixes the others: each of them is as loud as all. */
  levels(): ReadonlyMap<string, number> {
    const [own, others] = this.#volume
    const sources = this.#call.hears.flatMap(([from, to]) => (to === this.me ? [from] : []))
    return new Map([...sources.map((leg): [string, number] => [leg, others]), [this.me, this.#muted ? 0 : own]])
  }

  speaks(): boolean {
    return this.#muted && this.#volume[0] > SPEECH
  }

  update(call: CallSeen): void {
    this.#call = call
  }

  /** The softphone takes the microphone that is chosen when it comes in. */
  async changeMicrophone(): Promise<void> {
    if (this.#line) await this.join().catch(() => undefined)
  }

  async #pass(): Promise<Pass> {
    return this.ports.pass().catch(() => {
      throw new PhoneFault('token')
    })
  }

  async #connect(pass: Pass): Promise<void> {
    const device = await this.ports.device(pass, this.ports.devices)
    this.#device = device
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new PhoneFault('network')), PATIENCE_MS)
      const failed = (error: unknown): void => {
        clearTimeout(timer)
        reject(error as Error)
        if (this.state.joined) this.#failed(error)
      }
      device.on('error', (error: unknown) => this.#device === device && failed(error))
      device.on('tokenWillExpire', () => void this.#renew(device))
      const accepted = (): void => {
        clearTimeout(timer)
        resolve()
      }
      device.connect({ params: { ticket: pass.ticket } }).then((line) => this.#take(line, accepted, failed), failed)
    })
  }

  #take(line: PhoneLine, accepted: () => void, failed: (error: unknown) => void): void {
    this.#line = line
    const mine = (then: Listener): Listener => (...told) => this.#line === line && then(...told)
    line.on('accept', mine(accepted))
    line.on('error', mine(failed))
    line.on('disconnect', mine(() => this.#ended(failed)))
    line.on('volume', mine((own: number, others: number) => void (this.#volume = [own, others])))
    line.on('warning', mine((name: string) => this.#warned(name, true)))
    line.on('warning-cleared', mine((name: string) => this.#warned(name, false)))
    line.on('reconnecting', mine(() => this.#tell({ quality: 'poor' })))
    line.on('reconnected', mine(() => this.#tell({ quality: qualityOf(this.#warnings) })))
    line.mute(this.#muted)
  }

  #warned(name: string, on: boolean): void {
    if (on) this.#warnings.add(name)
    else this.#warnings.delete(name)
    this.#tell({ quality: qualityOf(this.#warnings) })
  }

  /** The provider has ended the line: with the call, or though it goes on. */
  #ended(failed: (error: unknown) => void): void {
    this.#line = null
    failed(new PhoneFault('network'))
    this.#tell({ quality: null })
  }

  async #renew(device: PhoneDevice): Promise<void> {
    const pass = await this.#pass().catch(() => null)
    if (pass && this.#device === device) device.updateToken(pass.token)
  }

  #failed(error: unknown): DeviceFault | PhoneFault {
    const fault = faultOf(error)
    const device = fault instanceof DeviceFault ? fault : null
    this.#tell({ joined: false, fault: device, line: fault instanceof PhoneFault ? fault.fault : null })
    return fault
  }

  #drop(): void {
    const [line, device] = [this.#line, this.#device]
    this.#line = this.#device = null
    this.#volume = [0, 0]
    this.#warnings.clear()
    line?.disconnect()
    device?.destroy()
  }

  #tell(change: Partial<MediaState>): void {
    this.state = { ...this.state, ...change }
    this.told(this.state)
  }
}

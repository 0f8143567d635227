import type { Devices } from '@shared/call/devices'
import type { Pass, PhoneDevice } from '@shared/call/softphone'
import { Device } from '@twilio/voice-sdk'
import silence from './silence.wav?url'

/** The SDK plays sounds of its own from its maker's servers; the desk has its own, and asks only the hub. */
const NAMES = [
  'disconnect', 'incoming', 'outgoing', 'dtmf0', 'dtmf1', 'dtmf2', 'dtmf3', 'dtmf4', 'dtmf5', 'dtmf6', 'dtmf7',
  'dtmf8', 'dtmf9', 'dtmfs', 'dtmfh',
]
const sounds = Object.fromEntries(NAMES.map((name) => [name, silence]))

/** Twilio's softphone; this module is loaded when somebody takes part in a telephone call. */
export async function twilioDevice(pass: Pass, chosen: Pick<Devices, 'chosen'>): Promise<PhoneDevice> {
  const options = {
    sounds,
    enableImprovedSignalingErrorPrecision: true,
    closeProtection: true,
    ...(pass.edge ? { edge: pass.edge } : {}),
    ...(pass.signalling ? { chunderw: pass.signalling } : {}),
  }
  const device = new Device(pass.token, options as Device.Options)
  await device.audio?.setInputDevice(chosen.chosen('microphone') || 'default').catch(() => undefined)
  const speaker = chosen.chosen('speaker')
  if (speaker && device.audio?.isOutputSelectionSupported) await device.audio.speakerDevices.set(speaker).catch(() => undefined)
  return device
}

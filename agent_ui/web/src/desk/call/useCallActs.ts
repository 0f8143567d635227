import { useActing } from '@desk/acts/acting'
import type { CallView, Leg, Supervision } from '@shared/call/model'
import { useCalls } from './calls'
import type { BarAct } from './signs'

/** Who is asked beside the customer: a colleague, or a number outside, which may have the call as soon as it answers. */
export type Consulted = { agent: string } | { number: string; hand_over: boolean }

/** What the bar's and the pill's buttons do. The own microphone obeys before the hub has answered. */
export function useCallActs() {
  const calls = useCalls()
  const { act } = useActing()

  const own = (call: CallView): Leg | undefined => (calls.mine?.call.id === call.id ? calls.mine.leg : undefined)
  const post = (call: CallView, path: string, body?: object): Promise<boolean> =>
    act('call', () => calls.post(call.id, path, body))

  async function mute(call: CallView, on: boolean): Promise<void> {
    const leg = own(call)
    if (!leg) return
    calls.media?.mute(on)
    if (!(await post(call, `legs/${leg.id}/${on ? 'mute' : 'unmute'}`))) calls.media?.mute(leg.muted)
  }

  /** A refused device is shown by the bar; only what the hub refuses is told beside it. */
  async function picture(call: CallView, what: 'camera' | 'screen', on: boolean): Promise<void> {
    const leg = own(call)
    if (!leg || !calls.media) return
    const path = `legs/${leg.id}/${what === 'camera' ? 'video' : 'screen'}`
    const ended = (): void => void picture(call, 'screen', false)
    try {
      if (what === 'camera') await calls.media.camera?.(on)
      else await calls.media.screen?.(on, ended)
    } catch {
      return
    }
    await post(call, path, { on })
    if (what === 'screen' && !on && leg.video) await calls.media.camera?.(true).catch(() => undefined)
  }

  async function end(call: CallView): Promise<void> {
    const leg = own(call)
    const leaves = leg && leg.party !== 'agent'
    await post(call, leaves ? `legs/${leg.id}/end` : 'hang_up')
  }

  const acts: Partial<Record<BarAct, (call: CallView, detail: string) => Promise<unknown>>> = {
    mute: (call) => mute(call, true),
    unmute: (call) => mute(call, false),
    hold: (call, leg) => post(call, `legs/${leg}/hold`),
    resume: (call, leg) => post(call, `legs/${leg}/resume`),
    conference: (call) => post(call, 'conference'),
    handOver: (call) => post(call, 'transfer', {}),
    park: (call) => post(call, 'park', {}),
    pause: (call) => post(call, 'recording/pause'),
    record: (call) => post(call, 'recording/resume'),
    drop: (call, leg) => post(call, `legs/${leg}/end`),
    end,
    camera: (call) => picture(call, 'camera', !own(call)?.video),
    screen: (call) => picture(call, 'screen', !own(call)?.screen),
    digits: async (_, tones) => calls.media?.digits(tones),
    supervise: (call, mode) => post(call, 'supervise', { mode: mode as Supervision }),
    join: (call) => act('call', () => calls.join(calls.asked?.call.id === call.id ? calls.asked : calls.mine)),
  }

  return {
    consult: (call: CallView, whom: Consulted): Promise<boolean> => post(call, 'agent' in whom ? 'consult' : 'number', whom),
    /** Ends a call for all; of a supervisor who is not in it, too. */
    hangUp: (call: CallView): Promise<boolean> => post(call, 'hang_up'),
    act: async (call: CallView, what: BarAct, detail = ''): Promise<void> => void (await acts[what]?.(call, detail)),
  }
}

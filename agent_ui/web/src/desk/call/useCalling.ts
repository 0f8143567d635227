import { onAct } from '@desk/keys/useKeys'
import { play } from '@desk/notify/sounds'
import { leading } from '@desk/notify/tabs'
import { useOffers } from '@desk/offers/offers'
import { useSettings } from '@desk/session/settings'
import { computed, onBeforeUnmount, watch } from 'vue'
import { useCalls } from './calls'
import { controlsOf } from './signs'
import { useCallActs } from './useCallActs'

const RING_MS = 2_500

/** What the whole desk does with calls: keys that work anywhere, the ringing, the headset's buttons. */
export function useCalling(): void {
  const calls = useCalls()
  const offers = useOffers()
  const settings = useSettings()
  const { act } = useCallActs()
  let timer: ReturnType<typeof setInterval> | undefined

  function mute(): void {
    const now = calls.mine
    if (!now || !controlsOf(now.call, now.leg, false).mute) return
    void act(now.call, now.leg.muted ? 'unmute' : 'mute')
  }

  function hold(): void {
    const now = calls.mine
    const customer = now && controlsOf(now.call, now.leg, false).hold
    if (customer) void act(now.call, customer.held ? 'resume' : 'hold', customer.id)
  }

  function hangUp(): void {
    if (calls.mine && calls.mine !== calls.asked) void act(calls.mine.call, 'end')
  }

  onAct('mute', mute)
  onAct('hold', hold)

  const ringing = computed(
    () => calls.asked !== null || offers.pending.some(({ channel }) => channel === 'voice' || channel === 'video'),
  )
  const ring = (): void => {
    if (settings.sounds && leading()) play('ring')
  }
  watch(
    ringing,
    (now) => {
      clearInterval(timer)
      if (!now) return
      ring()
      timer = setInterval(ring, RING_MS)
    },
    { immediate: true },
  )

  /** Headsets speak by the browser's media session, where there is one. */
  const buttons = { togglemicrophone: mute, hangup: hangUp } as const
  const headset = (on: boolean): void => {
    for (const [name, handler] of Object.entries(buttons)) {
      try {
        navigator.mediaSession?.setActionHandler(name as MediaSessionAction, on ? handler : null)
      } catch {
        // This browser has no such button.
      }
    }
  }
  watch(() => calls.state.joined, headset)

  onBeforeUnmount(() => {
    clearInterval(timer)
    headset(false)
    calls.leave()
  })
}

import { useSession } from '@desk/session/session'
import { useWorld } from '@desk/stream/world'
import { DeviceFault } from '@shared/call/devices'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { useCalls } from './calls'

/** The reason of who is available without a microphone: the hub offers them no calls. */
export const TEXTS_ONLY = 'texts_only'

/** What the browser says of microphones on this page; undefined: it does not say. */
const permissions = (): Promise<PermissionStatus | undefined> | undefined =>
  navigator.permissions?.query({ name: 'microphone' as PermissionName }).catch(() => undefined)
const permission = async (): Promise<PermissionState | undefined> => (await permissions())?.state

/** Whether this desk can be talked with, which is asked before its person is available for calls. */
export const useMicrophone = defineStore('microphone', () => {
  const session = useSession()
  const world = useWorld()
  const calls = useCalls()
  /** Why the microphone cannot be used; null: it can, or nobody has asked. */
  const fault = shallowRef<DeviceFault | null>(null)
  /** The person is being told. */
  const telling = ref(false)
  const asking = ref(false)

  const needed = computed(() => session.hub?.accounts.some((each) => each.talks && !each.paused) ?? false)
  const textsOnly = computed(() => world.me?.presence === 'available' && world.me.reason === TEXTS_ONLY)

  /** Tries the microphone, and lets it go at once; true: it can be used, or no calls come here. */
  async function works(): Promise<boolean> {
    if (!needed.value) return true
    asking.value = true
    try {
      const track = await calls.devices.microphone()
      track.stop()
      fault.value = null
    } catch (error) {
      fault.value = error instanceof DeviceFault ? error : new DeviceFault('microphone', 'failed')
    }
    asking.value = false
    return fault.value === null
  }

  /** Tells who is available for calls that the microphone has gone, without asking for it. */
  async function look(): Promise<void> {
    const waits = needed.value && world.me?.presence === 'available' && !textsOnly.value && !calls.state.joined
    if (!waits || telling.value) return
    const refused = await permission()
    const why = refused === 'denied' ? 'refused' : (await calls.devices.lacks('microphone')) ? 'missing' : null
    fault.value = why && new DeviceFault('microphone', why)
    telling.value = why !== null
  }
  watch([needed, () => world.me?.presence], () => void look(), { immediate: true })
  navigator.mediaDevices?.addEventListener?.('devicechange', () => void look())
  void permissions()?.then((state) => state?.addEventListener('change', () => void look()))

  return { fault, telling, asking, needed, textsOnly, works }
})

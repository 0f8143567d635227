import { useSettings } from '@desk/session/settings'
import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { composing, give, LEADER, pressed, type Act, type Given, type Key, type Press } from './keymap'

type Refused = Exclude<Given, { kind: 'given' }> & { key: Key }

/**
 * Hears the next key for an act before anything else does: Escape stops, Delete takes the key away.
 * A refused key is said, and another one may be pressed.
 */
export function useRecording() {
  const settings = useSettings()
  const act = ref<Act | null>(null)
  /** G was pressed: the second key of a sequence is awaited. */
  const begun = ref(false)
  const refused = shallowRef<Refused | null>(null)

  function start(of: Act): void {
    stop()
    act.value = of
    window.addEventListener('keydown', hear, { capture: true })
  }

  function stop(): void {
    window.removeEventListener('keydown', hear, { capture: true })
    act.value = null
    begun.value = false
    refused.value = null
  }

  function hear(event: KeyboardEvent): void {
    if (composing(event)) return
    if (event.key === 'Tab') return stop()
    event.preventDefault()
    event.stopImmediatePropagation()
    if (event.key === 'Escape') stop()
    else if (event.key === 'Delete' || event.key === 'Backspace') set('')
    else press(event)
  }

  function press(event: Press): void {
    const key = pressed(event)
    if (key === null) return
    if (key === LEADER && !begun.value) begun.value = true
    else set(begun.value ? `${LEADER} ${key}` : key)
  }

  function set(key: Key, of = act.value): void {
    if (!of) return
    const given = give(settings.keys, of, key)
    begun.value = false
    if (given.kind !== 'given') {
      refused.value = { ...given, key }
      return
    }
    settings.keys = given.own
    stop()
  }

  onBeforeUnmount(stop)
  return { act, begun, refused, start, stop, set }
}

import { useSettings } from '@desk/session/settings'
import { computed, onBeforeUnmount, onMounted } from 'vue'
import { bindings, keymap, keyOf, KeyReader, partsOf, type Act } from './keymap'

type Handler = () => void

const handlers = new Map<Act, Handler[]>()

export const mac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** Does `handler` when the keys of `act` are pressed, while the component is there. */
export function onAct(act: Act, handler: Handler): void {
  onMounted(() => handlers.set(act, [...(handlers.get(act) ?? []), handler]))
  onBeforeUnmount(() => {
    handlers.set(act, (handlers.get(act) ?? []).filter((each) => each !== handler))
  })
}

/** The parts of the key that an act has now, for hints beside buttons; none where it has no key. */
export function useShownKey() {
  const settings = useSettings()
  return (act: Act): string[] => {
    const binding = bindings.find((each) => each.act === act)
    const key = binding ? keyOf(settings.keys, binding) : ''
    const off = !settings.letterKeys && key !== '' && !/F\d|\+/.test(key)
    return key && !off ? partsOf(key, mac) : []
  }
}

const FIELDS = 'input, textarea, select, [contenteditable="true"], [role="menu"], [role="listbox"]'

function inField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(FIELDS) !== null
}

const dialogOpen = (): boolean => document.querySelector('[role="dialog"][data-state="open"]') !== null

/** Listens for the whole desk; call once, in the shell. */
export function useKeyboard(): void {
  const settings = useSettings()
  const keys = computed(() => keymap(settings.keys))
  const reader = new KeyReader(() => keys.value)
  const listen = (event: KeyboardEvent): void => {
    const field = inField(event.target) || dialogOpen()
    const act = reader.read(event, field, settings.letterKeys, event.timeStamp)
    const handler = act && handlers.get(act)?.at(-1)
    if (!handler) return
    event.preventDefault()
    handler()
  }
  onMounted(() => window.addEventListener('keydown', listen))
  onBeforeUnmount(() => window.removeEventListener('keydown', listen))
}

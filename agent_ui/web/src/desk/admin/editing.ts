import { useActing } from '@desk/acts/acting'
import { call, Problem } from '@desk/acts/api'
import { computed, ref, shallowRef, toRaw, watch, type Ref } from 'vue'
import type { Change } from '@desk/trial/trial'
import { useI18n } from 'vue-i18n'
import { differing, rebased } from './changes'
import { blank, useConfig, type Body, type ConfigObject, type Fault, type Kind } from './config'
import { faultText } from './faults'

export interface Conflict {
  clashes: string[]
  taken: string[]
  theirs: Body
}

/** One object in a form: what was read, what is written, and what stands against saving. */
export function useEditing(kind: Ref<Kind>, key: Ref<string>, made: (key: string) => void) {
  const { t } = useI18n()
  const config = useConfig()
  const { act, tell } = useActing()
  const base = shallowRef<Body>({})
  const body = ref<Body>({})
  const version = ref(0)
  const newKey = ref('')
  const reason = ref('')
  const faults = shallowRef<Fault[]>([])
  const conflict = shallowRef<Conflict | null>(null)
  const busy = ref(false)

  const fresh = computed(() => key.value === '+')
  const object = computed<ConfigObject | undefined>(() => config.find(kind.value, key.value))
  const changes = computed(() => differing(base.value, body.value))

  /** A new rule is asked after all others. */
  function fresher(): Body {
    const last = Math.max(0, ...config.of('routing_rule').map((each) => Number(each.body['order'])))
    return kind.value === 'routing_rule' ? { ...blank(kind.value), order: last + 10 } : blank(kind.value)
  }

  function reset(to: ConfigObject | undefined = object.value): void {
    const read = to?.body ?? fresher()
    base.value = structuredClone(toRaw(read))
    body.value = structuredClone(toRaw(read))
    version.value = to?.version ?? 0
    newKey.value = reason.value = ''
    faults.value = []
    conflict.value = null
  }
  watch([kind, key, () => object.value !== undefined], () => reset(), { immediate: true })

  /** The version that was made, null where saving was refused. */
  async function save(): Promise<number | null> {
    const name = fresh.value ? newKey.value.trim() : key.value
    busy.value = true
    faults.value = []
    try {
      const saved = await call<ConfigObject & { number: number }>('PUT', `/config/${kind.value}/${encodeURIComponent(name)}`, {
        body: { body: body.value, reason: reason.value.trim() },
        ifMatch: version.value,
      })
      await config.load()
      reset(saved)
      if (name !== key.value) made(name)
      return saved.number
    } catch (error) {
      await refused(error)
      return null
    } finally {
      busy.value = false
    }
  }

  async function refused(error: unknown): Promise<void> {
    if (!(error instanceof Problem)) throw error
    if (error.code === 'invalid') faults.value = placed((error.facts['faults'] as Fault[] | undefined) ?? [])
    else if (error.code === 'moved_on' && !fresh.value) await moved()
    else tell('save', error)
  }

  /** The hub names the whole configuration's places; the form knows its own fields. */
  function placed(found: readonly Fault[]): Fault[] {
    const own = `${kind.value}.${fresh.value ? newKey.value.trim() : key.value}.`
    return found.map((each) => (each.place.startsWith(own) ? { ...each, place: each.place.slice(own.length) } : each))
  }

  /** Somebody was faster: their version becomes the base, my changes stay on top. */
  async function moved(): Promise<void> {
    const now = await call<ConfigObject>('GET', `/config/${kind.value}/${encodeURIComponent(key.value)}`)
    const merge = rebased(base.value, toRaw(body.value), now.body)
    conflict.value = { clashes: merge.clashes, taken: merge.taken, theirs: now.body }
    base.value = structuredClone(now.body)
    body.value = merge.body
    version.value = now.version
  }

  /** What was changed beside the form stands now; what is written in it stays. */
  async function follow(): Promise<void> {
    await config.load()
    const now = object.value
    if (!now || now.version === version.value) return
    body.value = rebased(base.value, toRaw(body.value), now.body).body
    base.value = structuredClone(toRaw(now.body))
    version.value = now.version
  }

  /** The form as one change, for what is tried before it is saved. */
  const change = (): Change => ({ kind: kind.value, key: key.value, body: toRaw(body.value), based_on: version.value })

  /** What was saved here was taken back: the form shows what stands now. */
  async function again(): Promise<void> {
    await config.load()
    reset()
  }

  async function remove(): Promise<boolean> {
    const path = `/config/${kind.value}/${encodeURIComponent(key.value)}?reason=${encodeURIComponent(reason.value)}`
    const done = await act('remove', () => call('DELETE', path, { ifMatch: version.value }))
    if (done) await config.load()
    return done
  }

  /** What is wrong with a field, or with something within it. */
  const fault = (place: string): string =>
    faults.value
      .filter((each) => each.place === place || each.place.startsWith(`${place}.`))
      .map((each) => faultText(each, t))
      .join(' ')

  return { body, object, fresh, newKey, reason, changes, faults, conflict, busy, fault, reset, save, follow, remove, change, again, refused }
}

export type Editing = ReturnType<typeof useEditing>

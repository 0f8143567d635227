import type { CallIcon } from '@shared/icons'
import bodies from 'virtual:call-icons'
import { useEffect, useRef, useState } from 'preact/hooks'

/** One bundled icon; the markup comes from our own build, never from data. */
export function Icon({ name }: { name: CallIcon }) {
  return <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" dangerouslySetInnerHTML={{ __html: bodies[name] }} />
}

/** What is read again and again, while it is shown. */
export function useEvery<T>(read: () => T, ms: number): T {
  const [value, setValue] = useState(read)
  const latest = useRef(read)
  latest.current = read
  useEffect(() => {
    const timer = setInterval(() => setValue(() => latest.current()), ms)
    return () => clearInterval(timer)
  }, [ms])
  return value
}

/** How loud somebody is, as a bar; for eyes only. */
export function Level({ read }: { read: () => number }) {
  const level = useEvery(read, 100)
  return (
    <div class="level" aria-hidden="true">
      <i style={{ transform: `scaleX(${Math.min(1, level * 1.6).toFixed(2)})` }} />
    </div>
  )
}

/** One picture that moves; its sound comes elsewhere. `whole`: a screen, of which nothing is cut off. */
export function Picture({ track, name, whole = false, mine = false }: { track: MediaStreamTrack; name: string; whole?: boolean; mine?: boolean }) {
  const view = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (!view.current) return
    view.current.srcObject = new MediaStream([track])
    void view.current.play?.()?.catch(() => undefined)
  }, [track])
  const kind = [mine && 'mine', whole && 'whole'].filter(Boolean).join(' ')
  return <video ref={view} class={kind} autoplay muted playsInline aria-label={name} />
}

interface ControlProps {
  icon: CallIcon
  label: string
  pressed?: boolean
  bad?: boolean
  act: () => void
}

/** A round button with its word below. */
export function Control({ icon, label, pressed, bad, act }: ControlProps) {
  return (
    <button class={bad ? 'control bad' : 'control'} type="button" aria-pressed={pressed} onClick={act}>
      <span class="disc">
        <Icon name={icon} />
      </span>
      {label}
    </button>
  )
}

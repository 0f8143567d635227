import type { WidgetIcon } from '@shared/icons'
import bodies from 'virtual:widget-icons'

/** One bundled icon; the markup comes from our own build, never from data. */
export function Icon({ name }: { name: WidgetIcon }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: bodies[name] }}
    />
  )
}

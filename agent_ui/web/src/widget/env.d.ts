declare module 'virtual:widget-icons' {
  import type { WidgetIcon } from '@shared/icons'

  const bodies: Record<WidgetIcon, string>
  export default bodies
}

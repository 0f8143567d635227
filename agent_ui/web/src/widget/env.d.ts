declare module 'virtual:widget-words' {
  import type ja from '@catalogue/ja.json'
  import type { Locale } from '@shared/locale'

  const catalogues: Record<Locale, typeof ja.widget>
  export default catalogues
}

declare module 'virtual:call-words' {
  import type ja from '@catalogue/ja.json'
  import type { Locale } from '@shared/locale'

  const catalogues: Record<Locale, typeof ja.widgetCall>
  export default catalogues
}

declare module 'virtual:call-icons' {
  import type { CallIcon } from '@shared/icons'

  const bodies: Record<CallIcon, string>
  export default bodies
}

declare module 'virtual:widget-icons' {
  import type { WidgetIcon } from '@shared/icons'

  const bodies: Record<WidgetIcon, string>
  export default bodies
}

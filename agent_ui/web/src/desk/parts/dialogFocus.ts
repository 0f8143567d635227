/** What had the focus before a dialog; of a menu's entry, which is gone by then, the menu's button. */
let outside: HTMLElement | null = null
let opener: HTMLElement | null = null

function buttonOf(element: HTMLElement): HTMLElement | null {
  const menu = element.closest('[role="menu"]')
  if (!menu) return element
  const button = document.getElementById(menu.getAttribute('aria-labelledby') ?? '')
  return button && buttonOf(button)
}

/** Keeps in mind where the focus is; returns how to stop. */
export function rememberFocus(): () => void {
  const came = ({ target }: FocusEvent): void => {
    if (target instanceof HTMLElement && !target.closest('[role="dialog"]')) outside = buttonOf(target)
  }
  const left = ({ target, relatedTarget }: FocusEvent): void => {
    if (!relatedTarget && target instanceof Element && !target.closest('[role="menu"], [role="dialog"]')) outside = null
  }
  document.addEventListener('focusin', came)
  document.addEventListener('focusout', left)
  return () => {
    document.removeEventListener('focusin', came)
    document.removeEventListener('focusout', left)
  }
}

/** For every dialog's content: the focus goes to the default act, and back to where it came from. */
export const dialogFocus = {
  onOpenAutoFocus(event: Event): void {
    opener = outside
    const chosen = document.querySelector<HTMLElement>('[role="dialog"] [data-default]')
    if (!chosen) return
    event.preventDefault()
    chosen.focus()
  },
  onCloseAutoFocus(event: Event): void {
    if (!opener?.isConnected) return
    event.preventDefault()
    opener.focus()
  },
}

/** Marks the default act of a dialog. */
export const isDefault: Record<string, string> = { 'data-default': '' }

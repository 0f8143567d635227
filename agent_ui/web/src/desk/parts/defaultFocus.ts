/** For a dialog's content: gives the focus to the act that is marked as its default. */
export const defaultFocus = {
  onOpenAutoFocus(event: Event): void {
    const chosen = document.querySelector<HTMLElement>('[role="dialog"] [data-default]')
    if (!chosen) return
    event.preventDefault()
    chosen.focus()
  },
}

/** Marks the default act of a dialog. */
export const isDefault: Record<string, string> = { 'data-default': '' }

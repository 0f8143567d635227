/** Asks whether notices may be shown; only after the person has begun to receive. */
export async function askPermission(): Promise<void> {
  if (typeof Notification === 'undefined' || Notification.permission !== 'default') return
  await Notification.requestPermission().catch(() => undefined)
}

/** Shows a notice without any customer's words; a click brings the desk forward. */
export function notice(title: string, tag: string, clicked: () => void): Notification | null {
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted') return null
  const shown = new Notification(title, { tag, icon: '/favicon.svg', silent: true })
  shown.onclick = () => {
    window.focus()
    clicked()
    shown.close()
  }
  return shown
}

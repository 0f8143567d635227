export type Theme = 'system' | 'light' | 'dark'

/**
 * Puts a theme on an element. The tokens follow `data-theme`, or the system without it; the class
 * `dark` is for Tailwind's and Nuxt UI's dark variants. Returns a function that stops following.
 */
export function applyTheme(element: HTMLElement, theme: Theme): () => void {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const paint = (): void => {
    const dark = theme === 'dark' || (theme === 'system' && system.matches)
    element.classList.toggle('dark', dark)
    element.classList.toggle('light', !dark)
  }
  if (theme === 'system') delete element.dataset['theme']
  else element.dataset['theme'] = theme
  paint()
  if (theme !== 'system') return () => undefined
  system.addEventListener('change', paint)
  return () => system.removeEventListener('change', paint)
}

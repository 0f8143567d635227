/** What a page's computed `color-scheme` asks for; empty where the system decides. */
export function schemeOf(scheme: string): 'dark' | 'light' | '' {
  const [dark, light] = [/\bdark\b/.test(scheme), /\blight\b/.test(scheme)]
  return dark === light ? '' : dark ? 'dark' : 'light'
}

/** Tells the colour scheme of a page, now and whenever it or the language may have changed. */
export function followPage(
  page: Document,
  told: (scheme: 'dark' | 'light' | '') => void,
): void {
  const root = page.documentElement
  const tell = (): void => told(schemeOf(getComputedStyle(root).colorScheme ?? ''))
  new MutationObserver(tell).observe(root, { attributes: true })
  tell()
}

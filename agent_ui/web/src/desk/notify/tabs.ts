/** Of several tabs the one that was used last makes sounds, and takes what comes to all of them. */
const LAST_TAB = 'madoguchi.lastTab'
const tab = Math.random().toString(36).slice(2)

export function claim(): void {
  localStorage.setItem(LAST_TAB, tab)
}

export const leading = (): boolean => (localStorage.getItem(LAST_TAB) ?? tab) === tab

import { fileURLToPath } from 'node:url'

const from = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

export const web = from('..')
export const generated = from('../.generated')
export const deskOut = from('../../static/desk')
export const widgetOut = from('../../static/widget')

/** Import names that every build and every test understands. */
export const alias = {
  '@catalogue': from('../../../madoguchi/i18n/catalogue'),
  '@desk': from('../src/desk'),
  '@shared': from('../src/shared'),
  '@widget': from('../src/widget'),
}

/** The accessible name of a control that shows none; Nuxt UI's types know only its own props. */
export const named = (name: string): Record<string, string> => ({ 'aria-label': name })

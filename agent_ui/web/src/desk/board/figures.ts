/** A share in whole percent; a dash where nothing was divided. */
export const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(share * 100)}%`)

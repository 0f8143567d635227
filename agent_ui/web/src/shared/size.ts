const MEGA = 1024 * 1024

/** A size in bytes for people, by 1024 as limits are: 84 KB, 1.2 MB. */
export function size(bytes: number): string {
  const kilo = Math.max(1, Math.round(bytes / 1024))
  return kilo < 1000 ? `${kilo} KB` : `${Number((bytes / MEGA).toFixed(1))} MB`
}

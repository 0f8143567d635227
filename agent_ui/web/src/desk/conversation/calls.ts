/** What the clock shows in a zone, with the weekday: customers abroad may be asleep. */
export function timeThere(now: number, zone: string, locale: string): string {
  const shown: Intl.DateTimeFormatOptions = { weekday: 'short', hour: 'numeric', minute: '2-digit', hourCycle: 'h23', timeZone: zone }
  return new Intl.DateTimeFormat(locale, shown).format(now)
}

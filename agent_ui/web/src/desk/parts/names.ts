import type { Hub, HubQueue, Named } from '@desk/model/session'

interface Names {
  queue(key: string): HubQueue | undefined
  hub: Hub | null
}

/** A name as the reader's language has it; who was given no English one is called by the other. */
export const nameIn = (locale: string, { name, name_en }: Named): string => (locale === 'en' && name_en) || name

const called = (named: Named | undefined, key: string, locale: string): string => (named && nameIn(locale, named)) || key

/** A queue as the reader calls it; its key if the hub no longer knows it. */
export function queueName(names: Names, key: string, locale: string): string {
  return called(names.queue(key), key, locale)
}

export function skillName(names: Names, key: string, locale: string): string {
  return called(names.hub?.skills?.find((skill) => skill.key === key), key, locale)
}

export function wrapUpName(names: Names, queue: string, code: string, locale: string): string {
  return called(names.queue(queue)?.wrap_up.find((each) => each.key === code), code, locale)
}

/** A customer and the number of one conversation: several may have no name, or the same. */
export function numberedName(t: (key: string) => string, { customer, number }: { customer: { name: string }; number: number }): string {
  return `${customer.name || t('desk.customer.unknown')} #${number}`
}

/** A customer as the desk calls them before the reader, with the title of respect where there is one. */
export function customerName(t: (key: string, named?: Record<string, unknown>) => string, { name }: { name: string }): string {
  return name ? t('desk.customer.sama', { name }) : t('desk.customer.unknown')
}

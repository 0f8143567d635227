import type { Hub, HubQueue } from '@desk/model/session'

interface Names {
  queue(key: string): HubQueue | undefined
  hub: Hub | null
}

/** A queue as the reader calls it; its key if the hub no longer knows it. */
export function queueName(names: Names, key: string, locale: string): string {
  const queue = names.queue(key)
  return (locale === 'en' && queue?.name_en) || queue?.name || key
}

export function skillName(names: Names, key: string): string {
  return names.hub?.skills?.find((skill) => skill.key === key)?.name ?? key
}

export function wrapUpName(names: Names, queue: string, code: string): string {
  return names.queue(queue)?.wrap_up.find((each) => each.key === code)?.name ?? code
}

/** A customer and the number of one conversation: several may have no name, or the same. */
export function numberedName(t: (key: string) => string, { customer, number }: { customer: { name: string }; number: number }): string {
  return `${customer.name || t('desk.customer.unknown')} #${number}`
}

/** A customer as the desk calls them before the reader, with the title of respect where there is one. */
export function customerName(t: (key: string, named?: Record<string, unknown>) => string, { name }: { name: string }): string {
  return name ? t('desk.customer.sama', { name }) : t('desk.customer.unknown')
}

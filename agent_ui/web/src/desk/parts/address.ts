import type { ChannelName, OfferIdentity, Scheme } from '@desk/model/entities'

/** An address for people: a Japanese number as it is dialled at home, anything else as it is. */
export function address(identity: Pick<OfferIdentity, 'scheme' | 'value'>): string {
  if (identity.scheme !== 'phone') return identity.value
  return phone(identity.value)
}

/** +819055500142 → 090-5550-0142; numbers of other countries keep their + form. */
export function phone(e164: string): string {
  const home = /^\+81(\d{9,10})$/.exec(e164)?.[1]
  if (!home) return e164
  const number = `0${home}`
  if (number.length === 11) return number.replace(/^(\d{3})(\d{4})(\d{4})$/, '$1-$2-$3')
  if (/^0[36]/.test(number)) return number.replace(/^(\d{2})(\d{4})(\d{4})$/, '$1-$2-$3')
  return number.replace(/^(\d{3})(\d{3})(\d{4})$/, '$1-$2-$3')
}

const tiles: Record<Scheme, ChannelName> = {
  phone: 'sms',
  mail: 'email',
  visitor: 'chat',
  customer: 'custom',
  raw: 'custom',
}

/** The channel whose tile stands for an address. */
export const tileOf = (scheme: Scheme): ChannelName => tiles[scheme]

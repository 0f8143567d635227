import type { ChannelName, Conversation, Customer, Identity } from '@desk/model/entities'
import type { HubAccount } from '@desk/model/session'
import { nameIn } from '@desk/parts/names'

/** An address of the customer, and the account that a reply goes by. */
export interface Target {
  identity: string
  account: string
}

export interface Address extends Target {
  channel: ChannelName
  /** The conversation's own: where the customer wrote last. */
  own: boolean
  /** Null until the customer is known here. */
  address: Identity | null
  /** The account's name as the reader calls it, where several accounts reach the same address. */
  by: string
}

export const sameTarget = (a: Target, b: Target): boolean => a.identity === b.identity && a.account === b.account

/**
 * Where a reply can go, the conversation's own address first, unless it is a telephone's line, which
 * carries no text: none may be left. Others must be known to be the customer's (verified, or linked by a person), and an account that works must be able to write to
 * them first: a visitor of a chat is reached in the own thread only.
 */
export function addressesOf(conversation: Conversation, customer: Customer | undefined, accounts: readonly HubAccount[], locale: string): Address[] {
  const identities = customer?.identities ?? []
  const own: Address = {
    identity: conversation.identity,
    account: conversation.account,
    channel: conversation.channel,
    own: true,
    address: identities.find(({ id }) => id === conversation.identity) ?? null,
    by: '',
  }
  const others = identities
    .filter(({ verified, linked }) => verified || linked)
    .flatMap((identity) => {
      const able = accounts.filter((each) => !each.paused && each.reaches.includes(identity.scheme))
      return able.map((account): Address => ({
        identity: identity.id,
        account: account.id,
        channel: account.channel,
        own: false,
        address: identity,
        by: able.length > 1 ? nameIn(locale, account) : '',
      }))
    })
    .filter((each) => !sameTarget(each, own))
  return own.channel === 'voice' ? others : [own, ...others]
}

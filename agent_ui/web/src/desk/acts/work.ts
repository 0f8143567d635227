import type { Item } from '@desk/model/entities'

/** Which of a conversation's work an act means: without a word the hub takes that of its texts. */
export const workOf = (item: Pick<Item, 'kind'> | undefined): { of?: 'call' } => (item?.kind === 'call' ? { of: 'call' } : {})

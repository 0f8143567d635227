/** The blocks of a customer's panel in their first order. */
export const blocks = ['identities', 'facts', 'page', 'open', 'earlier'] as const
export type Block = (typeof blocks)[number]

/**
 * The blocks as a person has ordered them. What they never moved, or what is new, comes after the
 * block that it follows at first.
 */
export function ordered(order: readonly string[]): Block[] {
  const found = order.filter((each): each is Block => (blocks as readonly string[]).includes(each))
  blocks.forEach((block, at) => {
    if (found.includes(block)) return
    const before = blocks.slice(0, at).findLast((each) => found.includes(each))
    found.splice(before ? found.indexOf(before) + 1 : 0, 0, block)
  })
  return found
}

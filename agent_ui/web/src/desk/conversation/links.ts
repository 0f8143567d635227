export interface Run {
  text: string
  url: string | null
}

const ADDRESS = /https?:\/\/[^\s<>"'、。「」（）]+/g
/** Marks that end a sentence, not an address. */
const TRAILING = /[.,;:!?)\]}]+$/

/** Cuts a text into plain runs and web addresses. */
export function linked(text: string): Run[] {
  const runs: Run[] = []
  let done = 0
  for (const found of text.matchAll(ADDRESS)) {
    const url = found[0].replace(TRAILING, '')
    if (found.index > done) runs.push({ text: text.slice(done, found.index), url: null })
    runs.push({ text: url, url })
    done = found.index + url.length
  }
  if (done < text.length) runs.push({ text: text.slice(done), url: null })
  return runs
}

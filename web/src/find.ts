// Finds things by a few typed letters.

/** What fits the words, best first: the beginning of a word counts more than its middle. */
export function find<T extends { title: string }>(things: T[], text: string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return things
  const scored = things.map((thing, order) => ({
    thing,
    order,
    score: score(thing.title.toLowerCase(), words),
  }))
  return scored
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map((one) => one.thing)
}

/** 0 where a word is not found at all. */
function score(title: string, words: string[]): number {
  let total = 0
  for (const word of words) {
    const at = title.indexOf(word)
    if (at < 0) return 0
    const begins = at === 0 || /[^a-z0-9]/.test(title[at - 1] ?? '')
    total += (begins ? 10 : 1) + (at === 0 ? 5 : 0) + word.length / title.length
  }
  return total
}

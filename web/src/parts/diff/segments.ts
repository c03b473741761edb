// One line cut into the pieces that look different: by syntax, by what changed in it, and by what would not be seen.

import type { HunkView } from '../../api/protocol'
import { pieces } from '../../visible'

/** A stretch of a line, by the places of its first letter and of the one after its last. */
export type Range = [number, number]

/** A part of a line that is painted alike. */
export interface Span {
  text: string
  look: string
}

export interface Segment {
  text: string
  /** Classes of the highlighter. */
  look: string
  /** Whether this is what changed in the line. */
  changed: boolean
  /** Whether the text stands for a character that would not be seen. */
  hidden: boolean
}

export function segments(
  text: string,
  spans: readonly Span[] | undefined,
  changed: readonly Range[],
): Segment[] {
  const found: Segment[] = []
  let at = 0
  for (const span of spans ?? [{ text, look: '' }]) {
    const end = at + span.text.length
    const cuts = new Set([at, end])
    for (const [from, to] of changed) for (const cut of [from, to]) if (cut > at && cut < end) cuts.add(cut)
    const places = [...cuts].sort((a, b) => a - b)
    for (const [index, from] of places.slice(0, -1).entries()) {
      const part = text.slice(from, places[index + 1])
      const isChanged = changed.some(([first, last]) => from >= first && from < last)
      for (const piece of pieces(part))
        found.push({ text: piece.text, look: span.look, changed: isChanged, hidden: piece.hidden })
    }
    at = end
  }
  return found
}

/** Longest line, and most words of one, that are compared word by word. */
const LETTERS_MAX = 1000
const WORDS_MAX = 200

/** What changed within the lines of a hunk: for each line the stretches that its partner does not have. */
export function changedWords(hunk: HunkView): Map<number, Range[]> {
  const found = new Map<number, Range[]>()
  const { lines } = hunk
  let at = 0
  while (at < lines.length) {
    const removed = run(lines, at, 'removed')
    const added = run(lines, at + removed, 'added')
    if (removed > 0 && removed === added) {
      for (let index = 0; index < removed; index++) {
        const [before, after] = [lines[at + index], lines[at + removed + index]]
        const both = before && after && words(before.text, after.text)
        if (!both) continue
        found.set(at + index, both[0])
        found.set(at + removed + index, both[1])
      }
    }
    at += Math.max(1, removed + added)
  }
  return found
}

function run(lines: HunkView['lines'], at: number, kind: 'added' | 'removed'): number {
  let length = 0
  while (lines[at + length]?.kind === kind) length++
  return length
}

/** The stretches of two lines that differ; none where nearly everything does, since that tells nothing. */
export function words(before: string, after: string): [Range[], Range[]] | null {
  if (before.length > LETTERS_MAX || after.length > LETTERS_MAX) return null
  const [old, now] = [tokens(before), tokens(after)]
  if (old.length > WORDS_MAX || now.length > WORDS_MAX) return null
  const table = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      table[i]![j] =
        old[i] === now[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
  const [left, right]: [Range[], Range[]] = [[], []]
  let [i, j, x, y, same] = [0, 0, 0, 0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      if (old[i]!.trim() !== '') same += old[i]!.length
      x += old[i++]!.length
      y += now[j++]!.length
    } else if (j >= now.length || (i < old.length && table[i + 1]![j]! >= table[i]![j + 1]!)) {
      x = push(left, x, old[i++]!)
    } else {
      y = push(right, y, now[j++]!)
    }
  }
  return same * 3 < Math.min(before.trim().length, after.trim().length) ? null : [left, right]
}

function push(ranges: Range[], at: number, token: string): number {
  const last = ranges.at(-1)
  if (last && last[1] === at) last[1] = at + token.length
  else ranges.push([at, at + token.length])
  return at + token.length
}

function tokens(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|./gsu) ?? []
}

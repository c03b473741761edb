// What stands below what in a diff: every file as a list of rows whose heights are known before they are drawn, so that only
// those on the screen need to exist.

import type { CommentView, DiffFileView, HunkView, LineView, PlaceView } from '../../api/protocol'

export type Row =
  | { kind: 'head' }
  | { kind: 'waiting' }
  | { kind: 'picture' }
  | { kind: 'note'; text: string }
  /** Lines that are not shown, before a hunk or after the last one. */
  | { kind: 'gap'; hunk: number; section: string; from: number; to: number | null }
  | LineRow
  | { kind: 'thread'; key: string; comments: CommentView[] }
  | { kind: 'composer'; key: string }

export interface LineRow {
  kind: 'line'
  hunk: number
  line: LineView
  before: number | null
  after: number | null
  /** Side by side: the added line that stands beside a removed one. */
  beside?: { line: LineView; after: number }
}

/** A place in a file of the diff: a line of one side, or several. */
export interface Spot {
  side: 'before' | 'after'
  first: number
  last: number
}

export interface Block {
  rows: Row[]
  /** Where each row begins below the top of the file, and last where the file ends. */
  tops: number[]
}

export interface Sizes {
  line: number
  head: number
  gap: number
  note: number
  picture: number
  /** Letters in a line before it goes on in the next; 0: it does not. */
  columns: number
  /** The measured heights of threads and composers, by key. */
  measured: Record<string, number>
}

/** What a thread or composer takes until it was measured. */
const UNMEASURED = 140
/** Lines around a change that git shows: what a file that was not read yet is taken to have. */
const CONTEXT = 6
const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i

export function isPicture(file: DiffFileView): boolean {
  return file.binary && PICTURE.test(file.path.replace(/"$/, ''))
}

/** Whether two comparisons' places are the same lines: those of the commit that is shown, on its side. */
export function spotOf(place: PlaceView | null | undefined, from: string, to: string): Spot | null {
  if (!place || place.first === null) return null
  const shown = place.side === 'before' ? from : to
  if (place.commit !== shown) return null
  return { side: place.side, first: place.first, last: place.last ?? place.first }
}

/** As many lines a diff shows around a change. */
const CONTEXT_LINES = 3

/** The rows of a file. `read` tells whether its hunks are there. */
export function rowsOf(
  file: DiffFileView,
  read: boolean,
  folded: boolean,
  comments: readonly { comment: CommentView; spot: Spot }[],
  composing: Spot | null,
  split = false,
  seenToEnd = false,
): Row[] {
  const rows: Row[] = [{ kind: 'head' }]
  if (folded) return rows
  if (isPicture(file)) return [...rows, { kind: 'picture' }]
  if (file.binary)
    return [...rows, { kind: 'note', text: 'This is not text, so there are no lines to show.' }]
  if (!read) return [...rows, { kind: 'waiting' }]
  if (file.hunks.length === 0) return [...rows, { kind: 'note', text: withoutLines(file) }]
  let next = 1
  for (const [hunk, content] of file.hunks.entries()) {
    if (content.new_start > next || content.section !== '' || hunk > 0)
      rows.push({ kind: 'gap', hunk, section: content.section, from: next, to: content.new_start - 1 })
    let before = content.old_start
    let after = content.new_start
    const lines = content.lines.map((line): LineRow => ({
      kind: 'line',
      hunk,
      line,
      before: line.kind === 'added' ? null : before++,
      after: line.kind === 'removed' ? null : after++,
    }))
    for (const row of split ? paired(lines) : lines) {
      rows.push(row)
      const ends = (spot: Spot) => spot.last === numberOf(row, spot.side)
      const here = comments.filter(({ spot }) => ends(spot)).map(({ comment }) => comment)
      if (here.length > 0)
        rows.push({ kind: 'thread', key: here.map((comment) => comment.number).join('.'), comments: here })
      if (composing && ends(composing)) rows.push({ kind: 'composer', key: 'composer' })
    }
    next = after
  }
  if (file.truncated) rows.push({ kind: 'note', text: 'There is more of this file than is shown here.' })
  else if (!seenToEnd && !reachesEnd(file.hunks.at(-1)!) && !['added', 'deleted'].includes(file.change))
    rows.push({ kind: 'gap', hunk: file.hunks.length, section: '', from: next, to: null })
  return rows
}

/** Whether nothing can follow a hunk: fewer lines stand below its last change than a diff has where there are any. */
export function reachesEnd(hunk: HunkView): boolean {
  const below = hunk.lines.length - 1 - hunk.lines.findLastIndex((line) => line.kind !== 'context')
  return below < CONTEXT_LINES || hunk.lines.at(-1)?.no_newline === true
}

/** The number of a row's line on a side. */
export function numberOf(row: LineRow, side: Spot['side']): number | null {
  return side === 'before' ? row.before : (row.after ?? row.beside?.after ?? null)
}

/** Removed lines with the added ones that follow them beside them. */
function paired(lines: readonly LineRow[]): LineRow[] {
  const rows: LineRow[] = []
  let at = 0
  while (at < lines.length) {
    const run = (kind: LineView['kind'], from: number) => {
      let end = from
      while (lines[end]?.line.kind === kind) end++
      return lines.slice(from, end)
    }
    const removed = run('removed', at)
    const added = run('added', at + removed.length)
    if (removed.length + added.length === 0) rows.push(lines[at++]!)
    at += removed.length + added.length
    for (const [index, row] of removed.entries()) {
      const partner = added[index]
      rows.push(partner?.after ? { ...row, beside: { line: partner.line, after: partner.after } } : row)
    }
    rows.push(...added.slice(removed.length))
  }
  return rows
}

function withoutLines(file: DiffFileView): string {
  if (file.old_mode !== file.new_mode && file.old_mode && file.new_mode)
    return `Its mode changed from ${file.old_mode} to ${file.new_mode}; its content did not.`
  return file.change === 'renamed' ? 'It was moved, and its content stayed.' : 'No line of it changed.'
}

/** How many lines a file takes that was not read yet, about. */
export function guessed(file: DiffFileView): number {
  return file.added + file.removed + CONTEXT
}

export function heightOf(row: Row, file: DiffFileView, sizes: Sizes): number {
  switch (row.kind) {
    case 'head':
      return sizes.head
    case 'waiting':
      return guessed(file) * sizes.line
    case 'picture':
      return sizes.picture
    case 'note':
      return sizes.note
    case 'gap':
      return sizes.gap
    case 'line':
      return (
        sizes.line *
        Math.max(
          screenLines(row.line.text, sizes.columns),
          row.beside ? screenLines(row.beside.line.text, sizes.columns) : 1,
        )
      )
    default:
      return sizes.measured[row.key] ?? UNMEASURED
  }
}

/** How many lines of the screen a line takes when it is broken after so many letters. */
export function screenLines(text: string, columns: number): number {
  if (columns <= 0 || text.length * 9 <= columns) return 1
  return Math.max(1, Math.ceil(cells(text) / columns))
}

/** The width of a text in letters: a tab takes four, what is not plain may take two. */
export function cells(text: string): number {
  let width = 0
  for (const sign of text)
    width += sign === '\t' ? 4 : sign >= ' ' && sign <= '\u{24f}' ? 1 : sign > '\u{24f}' ? 2 : 9
  return width
}

export function block(rows: Row[], file: DiffFileView, sizes: Sizes): Block {
  const tops = [0]
  let top = 0
  for (const row of rows) tops.push((top += heightOf(row, file, sizes)))
  return { rows, tops }
}

/** The place in an ascending list of the last that is not above `y`. */
export function findTop(tops: readonly number[], y: number): number {
  let [low, high] = [0, tops.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((tops[middle] ?? 0) <= y) low = middle
    else high = middle - 1
  }
  return low
}

/** A hunk with more lines before its first, or after its last; those that touch each other become one. */
export function widened(
  hunks: readonly HunkView[],
  at: number,
  lines: readonly string[],
  below: boolean,
): HunkView[] {
  const context: LineView[] = lines.map((text) => ({ kind: 'context', text, no_newline: false }))
  const grown = hunks.map((hunk, index) => {
    if (index !== (below ? at - 1 : at)) return hunk
    const longer = {
      ...hunk,
      old_lines: hunk.old_lines + lines.length,
      new_lines: hunk.new_lines + lines.length,
    }
    if (below) return { ...longer, lines: [...hunk.lines, ...context] }
    return {
      ...longer,
      old_start: hunk.old_start - lines.length,
      new_start: hunk.new_start - lines.length,
      section: '',
      lines: [...context, ...hunk.lines],
    }
  })
  return grown.reduce<HunkView[]>((joined, hunk) => {
    const last = joined.at(-1)
    if (!last || last.new_start + last.new_lines !== hunk.new_start) return [...joined, hunk]
    const one = {
      ...last,
      old_lines: last.old_lines + hunk.old_lines,
      new_lines: last.new_lines + hunk.new_lines,
      lines: [...last.lines, ...hunk.lines],
    }
    return [...joined.slice(0, -1), one]
  }, [])
}

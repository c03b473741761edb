// Where a person is in a diff, and where the next line, hunk or file is.

import type { DiffFileView } from '../../api/protocol'
import { numberOf, type Block, type Row, type Spot } from './rows'

export interface Cursor {
  file: number
  row: number
}

type Line = Extract<Row, { kind: 'line' }>

export function lineAt(blocks: readonly Block[], at: Cursor): Line | null {
  const row = blocks[at.file]?.rows[at.row]
  return row?.kind === 'line' ? row : null
}

/** The next row, in either direction, that `wanted` finds; a file's head counts as a row. */
export function nextRow(
  blocks: readonly Block[],
  from: Cursor,
  by: 1 | -1,
  wanted: (row: Row, at: Cursor) => boolean,
): Cursor | null {
  let { file, row } = { file: from.file, row: from.row + by }
  while (file >= 0 && file < blocks.length) {
    const rows = blocks[file]?.rows ?? []
    for (; row >= 0 && row < rows.length; row += by) {
      const found = rows[row]
      if (found && wanted(found, { file, row })) return { file, row }
    }
    file += by
    row = by > 0 ? 0 : (blocks[file]?.rows.length ?? 0) - 1
  }
  return null
}

/** The line, or the head of a file whose lines are not there, above or below. */
export function nextLine(blocks: readonly Block[], from: Cursor, by: 1 | -1): Cursor | null {
  return nextRow(
    blocks,
    from,
    by,
    (row, at) => row.kind === 'line' || (row.kind === 'head' && isBare(blocks, at)),
  )
}

/** Where the next stretch of changed lines begins, or a file that has none to show; folded files are passed over. */
export function nextChange(blocks: readonly Block[], from: Cursor, by: 1 | -1): Cursor | null {
  return nextRow(blocks, from, by, (row, at) => isChange(blocks, row, at) && !isFolded(blocks, at))
}

/** The next such place, after this one and around the end, in a file that was not viewed. */
export function nextUnviewedChange(
  blocks: readonly Block[],
  files: readonly DiffFileView[],
  from: Cursor,
): Cursor | null {
  const wanted = (row: Row, at: Cursor) => files[at.file]?.viewed === false && isChange(blocks, row, at)
  return nextRow(blocks, from, 1, wanted) ?? nextRow(blocks, { file: 0, row: -1 }, 1, wanted)
}

function isChange(blocks: readonly Block[], row: Row, at: Cursor): boolean {
  const changed = (row: Row | undefined) => row?.kind === 'line' && row.line.kind !== 'context'
  if (row.kind === 'head') return isBare(blocks, at)
  return changed(row) && !changed(blocks[at.file]?.rows[at.row - 1])
}

/** Whether nothing but a file's head is there. */
function isFolded(blocks: readonly Block[], at: Cursor): boolean {
  return blocks[at.file]?.rows.length === 1
}

/** Whether a file's lines were not read yet. */
export function isWaiting(blocks: readonly Block[], file: number): boolean {
  return blocks[file]?.rows.some((row) => row.kind === 'waiting') ?? false
}

/** The next file that was not viewed, after this one and around the end. */
export function nextUnviewed(files: readonly DiffFileView[], from: number): number | null {
  for (let step = 1; step <= files.length; step++) {
    const file = (from + step) % files.length
    if (!files[file]?.viewed) return file
  }
  return null
}

function isBare(blocks: readonly Block[], at: Cursor): boolean {
  return !blocks[at.file]?.rows.some((row) => row.kind === 'line')
}

/** The lines between two rows of a file, on the side of the first; none where they have none there. */
export function spotBetween(
  block: Block | undefined,
  anchor: number,
  end: number,
  wanted?: Spot['side'],
): Spot | null {
  const first = block?.rows[anchor]
  if (!block || first?.kind !== 'line') return null
  const side = wanted ?? (first.line.kind === 'removed' && !first.beside ? 'before' : 'after')
  const numbers = block.rows
    .slice(Math.min(anchor, end), Math.max(anchor, end) + 1)
    .flatMap((row) => (row.kind === 'line' ? [numberOf(row, side)] : []))
    .filter((number) => number !== null)
  if (numbers.length === 0) return null
  return { side, first: Math.min(...numbers), last: Math.max(...numbers) }
}

// How much of a change is put on the screen at once by a look that is no review.

import type { DiffFileView } from '../../api/protocol'

/** Files that a list shows at first, and that one press adds. */
export const FILES_AT_ONCE = 100
/** Lines of a file that are shown at first, and that one press adds. */
export const LINES_AT_ONCE = 500
/** Lines that are open at the beginning, in so many files at most. */
const OPEN_LINES = 400
const OPEN_FILES = 5

/** How many of the first files are open at the beginning. */
export function openAtFirst(files: readonly Pick<DiffFileView, 'added' | 'removed' | 'binary'>[]): number {
  let lines = 0
  let open = 0
  for (const file of files.slice(0, OPEN_FILES)) {
    lines += file.added + file.removed
    if (open > 0 && lines > OPEN_LINES) break
    open += 1
  }
  return open
}

/** The hunks up to so many lines, the last of them cut; and whether that was all. */
export function upTo<H extends { lines: readonly unknown[] }>(
  hunks: readonly H[],
  most: number,
): { hunks: H[]; all: boolean } {
  const found: H[] = []
  let left = most
  for (const hunk of hunks) {
    if (left <= 0) return { hunks: found, all: false }
    found.push(hunk.lines.length > left ? { ...hunk, lines: hunk.lines.slice(0, left) } : hunk)
    left -= hunk.lines.length
  }
  return { hunks: found, all: left >= 0 }
}

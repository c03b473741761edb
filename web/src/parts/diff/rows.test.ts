import { expect, test } from 'vitest'

import type { CommentView, DiffFileView, HunkView } from '../../api/protocol'
import { block, findTop, rowsOf, screenLines, spotOf, widened, type Sizes } from './rows'

const hunk: HunkView = {
  old_start: 5,
  old_lines: 2,
  new_start: 5,
  new_lines: 2,
  section: 'fn a',
  lines: [
    { kind: 'context', text: 'x', no_newline: false },
    { kind: 'removed', text: 'old', no_newline: false },
    { kind: 'added', text: 'new', no_newline: false },
  ],
}
const file: DiffFileView = {
  path: 'src/a.rs',
  old_path: null,
  change: 'modified',
  old_mode: '100644',
  new_mode: '100644',
  added: 1,
  removed: 1,
  binary: false,
  truncated: false,
  old_blob: 'a',
  new_blob: 'b',
  seen: 's',
  viewed: false,
  hunks: [hunk],
}
const comment = { number: 7 } as CommentView
const sizes: Sizes = { line: 20, head: 40, gap: 28, note: 32, picture: 280, columns: 0, measured: {} }

test('a file is its head, gaps and lines, with threads below the lines they are about', () => {
  const after = { comment, spot: { side: 'after', first: 6, last: 6 } as const }
  const kinds = rowsOf(file, true, false, [after], { side: 'before', first: 6, last: 6 }).map(
    (row) => row.kind,
  )
  expect(kinds).toEqual(['head', 'gap', 'line', 'line', 'composer', 'line', 'thread'])
  expect(rowsOf(file, true, true, [], null)).toHaveLength(1)
  expect(rowsOf(file, false, false, [], null)[1]?.kind).toBe('waiting')
  expect(rowsOf({ ...file, binary: true, path: 'a.PNG' }, true, false, [], null)[1]?.kind).toBe('picture')
})

test('more lines are offered below a change only where there may be some', () => {
  const below = (lines: number, no_newline = false): DiffFileView => {
    const context = Array.from({ length: lines }, () => ({ kind: 'context' as const, text: 'y', no_newline }))
    return { ...file, hunks: [{ ...hunk, lines: [...hunk.lines, ...context] }] }
  }
  const last = (of: DiffFileView, seenToEnd = false) =>
    rowsOf(of, true, false, [], null, false, seenToEnd).at(-1)?.kind
  expect(last(below(3))).toBe('gap')
  expect(last(below(2)), 'a diff would show three').toBe('line')
  expect(last(below(3, true))).toBe('line')
  expect(last(below(23), true), 'they were asked for, and fewer came').toBe('line')
})

test('side by side a removed line has the added one beside it', () => {
  const rows = rowsOf(file, true, false, [], null, true)
  const lines = rows.filter((row) => row.kind === 'line')
  expect(lines.map((row) => [row.before, row.after, row.beside?.after])).toEqual([
    [5, 5, undefined],
    [6, null, 6],
  ])
  const after = { comment, spot: { side: 'after', first: 6, last: 6 } as const }
  expect(rowsOf(file, true, false, [after], null, true).at(-1)?.kind).toBe('thread')
})

test('heights add up, and a place is found by its height', () => {
  const rows = rowsOf(file, true, false, [], null)
  const { tops } = block(rows, file, sizes)
  expect(tops).toEqual([0, 40, 68, 88, 108, 128])
  expect([0, 39, 40, 100, 999].map((y) => findTop(tops, y))).toEqual([0, 0, 1, 3, 5])
})

test('a long line takes as many lines of the screen as it needs', () => {
  expect([screenLines('abc', 0), screenLines('abcdefghij', 4), screenLines('\t\t', 4)]).toEqual([1, 3, 2])
})

test('a comment is shown where the commit is the one that is seen', () => {
  const place = { commit: 'c1', file: 'a', side: 'after', first: 3, last: 4, quote: '' } as const
  expect(spotOf(place, 'c0', 'c1')).toEqual({ side: 'after', first: 3, last: 4 })
  expect(spotOf(place, 'c1', 'c2')).toBeNull()
  expect(spotOf({ ...place, first: null }, 'c0', 'c1')).toBeNull()
})

test('hunks grow by the lines between them and join where they meet', () => {
  const other = { ...hunk, old_start: 10, new_start: 10 }
  const up = widened([hunk, other], 1, ['a', 'b', 'c'], false)
  expect(up).toHaveLength(1)
  expect([up[0]?.new_start, up[0]?.new_lines, up[0]?.lines.length]).toEqual([5, 7, 9])
  const down = widened([hunk], 1, ['z'], true)
  expect([down[0]?.new_lines, down[0]?.lines.at(-1)?.text]).toEqual([3, 'z'])
})

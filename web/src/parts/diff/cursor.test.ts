import { expect, test } from 'vitest'

import type { DiffFileView } from '../../api/protocol'
import { nextChange, nextLine, nextUnviewed, nextUnviewedChange, spotBetween } from './cursor'
import type { Block, Row } from './rows'

const line = (kind: 'context' | 'added' | 'removed', before: number | null, after: number | null): Row => ({
  kind: 'line',
  hunk: 0,
  line: { kind, text: '', no_newline: false },
  before,
  after,
})
const blocks: Block[] = [
  {
    rows: [
      { kind: 'head' },
      line('context', 1, 1),
      line('removed', 2, null),
      line('added', null, 2),
      line('added', null, 3),
    ],
    tops: [],
  },
  { rows: [{ kind: 'head' }, { kind: 'waiting' }], tops: [] },
]

test('changes, lines and files are gone through in both directions', () => {
  expect(nextChange(blocks, { file: 0, row: 0 }, 1)).toEqual({ file: 0, row: 2 })
  expect(nextChange(blocks, { file: 0, row: 2 }, 1)).toEqual({ file: 1, row: 0 })
  expect(nextChange(blocks, { file: 1, row: 0 }, -1)).toEqual({ file: 0, row: 2 })
  expect(nextLine(blocks, { file: 0, row: 4 }, 1)).toEqual({ file: 1, row: 0 })
  expect(nextLine(blocks, { file: 0, row: 1 }, -1)).toBeNull()
})

test('the next file that was not viewed is found around the end', () => {
  const files = [true, false, true].map((viewed) => ({ viewed }) as DiffFileView)
  expect([nextUnviewed(files, 1), nextUnviewed(files, 2)]).toEqual([1, 1])
  expect(nextUnviewed([files[0]!], 0)).toBeNull()
})

test('a stretch of lines is those of one side', () => {
  expect(spotBetween(blocks[0], 3, 4)).toEqual({ side: 'after', first: 2, last: 3 })
  expect(spotBetween(blocks[0], 2, 4)).toEqual({ side: 'before', first: 2, last: 2 })
  expect(spotBetween(blocks[0], 4, 1)).toEqual({ side: 'after', first: 1, last: 3 })
  expect(spotBetween(blocks[0], 0, 1)).toBeNull()
})

test('changes are gone through past what is folded, and those that were not viewed around the end', () => {
  const folded: Block = { rows: [{ kind: 'head' }], tops: [] }
  const all = [blocks[0]!, folded, blocks[0]!]
  expect(nextChange(all, { file: 0, row: 2 }, 1), 'a folded file is no change').toEqual({ file: 2, row: 2 })
  const files = [false, true, true].map((viewed) => ({ viewed }) as DiffFileView)
  expect(nextUnviewedChange(all, files, { file: 2, row: 2 })).toEqual({ file: 0, row: 2 })
  const later = [true, false, true].map((viewed) => ({ viewed }) as DiffFileView)
  expect(nextUnviewedChange(all, later, { file: 0, row: 2 }), 'where it is folded, its head').toEqual({
    file: 1,
    row: 0,
  })
  expect(nextUnviewedChange(all, [], { file: 0, row: 0 })).toBeNull()
})

import { expect, test } from 'vitest'

import type { DiffFileView } from '../../api/protocol'
import { treeOf } from './tree'

const files = ['a/b/c/one.rs', 'a/b/c/two.rs', 'a/z.rs', 'top.md'].map(
  (path, index) => ({ path, viewed: index === 0 }) as DiffFileView,
)
const drawn = (closed: string[], filter = '') =>
  treeOf(files, new Set(closed), filter).map(
    (row) => `${'  '.repeat(row.depth)}${row.name} ${row.viewed}/${row.files}`,
  )

test('folders with one entry are one, and count what was viewed', () => {
  expect(drawn([])).toEqual([
    'a 1/3',
    '  b/c 1/2',
    '    one.rs 1/1',
    '    two.rs 0/1',
    '  z.rs 0/1',
    'top.md 0/1',
  ])
})

test('a closed folder hides what is in it, and a filter what does not match', () => {
  expect(drawn(['a/b/c'])).toEqual(['a 1/3', '  b/c 1/2', '  z.rs 0/1', 'top.md 0/1'])
  expect(drawn([], 'TWO')).toEqual(['a/b/c 0/1', '  two.rs 0/1'])
})

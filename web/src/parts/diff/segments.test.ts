import { expect, test } from 'vitest'

import type { HunkView } from '../../api/protocol'
import { changedWords, segments, words } from './segments'

const hunk = (...lines: string[]): HunkView => ({
  old_start: 1,
  old_lines: 0,
  new_start: 1,
  new_lines: 0,
  section: '',
  lines: lines.map((line) => ({
    kind: line[0] === '+' ? 'added' : line[0] === '-' ? 'removed' : 'context',
    text: line.slice(1),
    no_newline: false,
  })),
})

test('only what differs between two lines is marked', () => {
  expect(words('let a = 1;', 'let b = 1;')).toEqual([[[4, 5]], [[4, 5]]])
  expect(words('call(a)', 'call(a, b)')).toEqual([[], [[6, 9]]])
  expect(words('entirely other', 'nothing alike here')).toBeNull()
  expect(words('a'.repeat(2000), 'a')).toBeNull()
})

test('lines have partners where as many were added as were removed', () => {
  const marked = changedWords(hunk(' x', '-let a = 1', '-let c = 3', '+let b = 1', '+let c = 4', ' y'))
  expect([...marked.keys()].sort()).toEqual([1, 2, 3, 4])
  expect(marked.get(4)).toEqual([[8, 9]])
  expect(changedWords(hunk('-a', '+a b', '+c')).size).toBe(0)
})

test('a line is cut by colour, by change and by what would not be seen', () => {
  const spans = [
    { text: 'let ', look: 'hljs-keyword' },
    { text: 'a\u202eb', look: '' },
  ]
  expect(segments('let a\u202eb', spans, [[2, 5]])).toEqual([
    { text: 'le', look: 'hljs-keyword', changed: false, hidden: false },
    { text: 't ', look: 'hljs-keyword', changed: true, hidden: false },
    { text: 'a', look: '', changed: true, hidden: false },
    { text: 'U+202E', look: '', changed: false, hidden: true },
    { text: 'b', look: '', changed: false, hidden: false },
  ])
})

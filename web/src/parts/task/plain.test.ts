import { expect, test } from 'vitest'

import { openAtFirst, upTo } from './plain'

const file = (added: number) => ({ added, removed: 0, binary: false })

test('so many files are open at first as can be read, and one at least', () => {
  expect(openAtFirst([])).toBe(0)
  expect(openAtFirst([file(100_000), file(1)])).toBe(1)
  expect(openAtFirst([file(300), file(100), file(1)])).toBe(2)
  expect(openAtFirst(Array.from({ length: 9 }, () => file(1)))).toBe(5)
})

test('a file is cut after so many lines, within a hunk too', () => {
  const hunk = (lines: number) => ({ lines: Array.from({ length: lines }, (_, index) => index) })
  const cut = upTo([hunk(3), hunk(3), hunk(3)], 5)
  expect([cut.hunks.map((one) => one.lines.length), cut.all]).toEqual([[3, 2], false])
  expect(upTo([hunk(3), hunk(2)], 5).all).toBe(true)
  expect(upTo([hunk(3), hunk(2), hunk(1)], 5)).toMatchObject({ all: false, hunks: [{}, {}] })
})

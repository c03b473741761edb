import { expect, test } from 'vitest'

import { positionOf, withKey } from './lines'

test('a line is found by its number, and the last one for a number that is too large', () => {
  const text = 'one\ntwo\nthree'
  const line = (number: number) => text.slice(...positionOf(text, number))
  expect([1, 2, 3, 9].map(line)).toEqual(['one', 'two', 'three', 'three'])
  expect(positionOf('', 1)).toEqual([0, 0])
})

test('the line of a key is found at the top level alone, or offered before the first table', () => {
  const text = '# mine\nparallel = 3\n\n[push]\nchecks_parallel = 1\n'
  expect(withKey(text, 'parallel')).toEqual({ text, line: 2 })
  expect(withKey(text, 'checks_parallel')).toEqual({
    text: '# mine\nparallel = 3\nchecks_parallel = \n\n[push]\nchecks_parallel = 1\n',
    line: 3,
  })
  expect(withKey('', 'parallel')).toEqual({ text: 'parallel = \n', line: 1 })
})

import { expect, test } from 'vitest'

import { find } from './find'

const titles = (text: string) =>
  find(
    ['Archive the task', 'New task', 'Go to the inbox', 't12 Fix the archive'].map((title) => ({ title })),
    text,
  ).map((one) => one.title)

test('every word must be found; a title that begins with it comes first', () => {
  expect(titles('arch')).toEqual(['Archive the task', 't12 Fix the archive'])
  expect(titles('task new')).toEqual(['New task'])
  expect(titles('zzz')).toEqual([])
  expect(titles('')).toHaveLength(4)
})

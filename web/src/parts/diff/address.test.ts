import { expect, test } from 'vitest'

import { addressIn, searchOf } from './address'

test('an address brings back what it was made of', () => {
  const places = [
    { compare: '', file: '', line: null },
    { compare: 'turn-2', file: '', line: null },
    { compare: '', file: 'src/a b&c=d.rs', line: { side: 'before', number: 30 } },
    { compare: 'result-1..result-2', file: 'x', line: { side: 'after', number: 1 } },
  ] as const
  for (const place of places) expect(addressIn(searchOf(place), '')).toEqual({ ...place, comment: null })
  expect(addressIn('', '#comment-3').comment).toBe(3)
})

test('an address that somebody else wrote breaks nothing', () => {
  const nothing = { compare: '', file: '', line: null, comment: null }
  expect(addressIn('?line=up:3', '#comment-x')).toEqual(nothing)
  expect(addressIn('?line=after:99999999999999', '#comment-')).toEqual(nothing)
})

import { describe, expect, test } from 'vitest'

import { sent, withControl } from './typed'

describe('keys that a phone does not have', () => {
  test('arrows follow the mode of the program', () => {
    expect([sent('up', false), sent('left', true)]).toEqual(['\x1b[A', '\x1bOD'])
    expect([sent('escape', true), sent('tab', false)]).toEqual(['\x1b', '\t'])
  })

  test('a letter with Ctrl is its control sign, and a word stays a word', () => {
    expect(['c', 'C', '[', '@', '1', 'ls', 'é'].map(withControl)).toEqual(
      ['\x03', '\x03', '\x1b', '\0', '1', 'ls', 'é'], // prettier-ignore
    )
  })
})

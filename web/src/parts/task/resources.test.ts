import { expect, test } from 'vitest'

import type { ResourcesView } from '../../api/protocol'
import { bytes, curve, load } from './resources'

test('sizes are said in a few characters', () => {
  expect([0, 999, 1500, 99_400, 999_600, 2_000_000_000].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.5 kB',
    '99.4 kB',
    '1.0 MB',
    '2.0 GB',
  ])
})

test('the load is the difference of two looks and never below none', () => {
  const look = (second: number, cpu_millis: number) =>
    ({ at: `2026-01-01T00:00:0${second}Z`, cpu_millis }) as ResourcesView
  expect(load(look(0, 1000), look(2, 2000))).toBe(50)
  expect(load(look(0, 1000), look(2, 900))).toBe(0)
  expect(load(look(1, 0), look(1, 10))).toBe(0)
})

test('a curve ends at the right, and stays in its box whatever the values are', () => {
  expect(curve([0, 50, 100], 100, 3)).toBe('0.0,46.0 120.0,24.0 240.0,2.0')
  expect(curve([7], 1, 60)).toBe('240.0,2.0')
  expect(curve([0, 0], 1, 60)).toBe('235.9,46.0 240.0,46.0')
  expect(curve([], 1, 60)).toBe('')
})

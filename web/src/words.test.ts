import { expect, test } from 'vitest'

import type { TaskSummary, UsageView } from './api/protocol'
import { cost, costOf, count, duration, moment, short } from './words'

const usage = (fields: Partial<UsageView>) =>
  ({ input: 0, output: 0, cached_read: 0, cached_write: 0, ...fields }) as UsageView

test('a cost says how well it is known', () => {
  expect(cost(usage({ cost_micros: 1_234_000 }))).toBe('$1.23')
  expect(cost(usage({ cost_micros: 12_000, estimated: true }))).toBe('≈ $0.012')
  expect(cost(usage({ cost_micros: 12_000, estimated: true, cost_at_least: true }))).toBe('≥ $0.012')
})

test('where no price is known the tokens are shown, and where nothing is known nothing', () => {
  expect(cost(usage({ cost_micros: null, input: 1500, output: 20 }))).toBe('1.5k tokens')
  expect(cost(usage({ cost_micros: null }))).toBeNull()
})

test('numbers are short and things are counted', () => {
  expect([999, 1000, 9949, 12_345, 999_949, 999_950].map(short)).toEqual([
    '999',
    '1.0k',
    '9.9k',
    '12k',
    '1000k',
    '1.0M',
  ])
  expect([count(1, 'file'), count(2, 'file')]).toEqual(['1 file', '2 files'])
})

test('a duration has one unit', () => {
  expect([0, 59_000, 61_000, 7_200_000, 172_800_000].map(duration)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '2 h',
    '2 d',
  ])
})

test('a task costs what all its attempts cost, and at least that where one has no price', () => {
  const task = (...all: Partial<UsageView>[]) =>
    ({ attempts: all.map((fields) => ({ usage: usage(fields) })) }) as unknown as Pick<
      TaskSummary,
      'attempts'
    >
  expect(costOf(task({ cost_micros: 1_000_000 }, { cost_micros: 500_000 }))).toBe('$1.50')
  expect(costOf(task({ cost_micros: 1_000_000 }, { cost_micros: null, input: 9 }))).toBe('≥ $1.00')
  expect(costOf(task({ cost_micros: null, input: 900 }, { cost_micros: null, input: 600 }))).toBe(
    '1.5k tokens',
  )
  expect(costOf(task())).toBeNull()
})

test('a moment names its day only where it is not today, and its year only where it is another', () => {
  const now = new Date(2026, 10, 30, 21, 0)
  const plain = (at: Date) =>
    moment(at, now)
      .replace(/\d\d?[:.]\d\d.*$/, '')
      .trim()
  expect(plain(new Date(2026, 10, 30, 8, 5))).toBe('')
  expect(plain(new Date(2026, 10, 29, 8, 5))).toMatch(/29/)
  expect(plain(new Date(2026, 10, 29, 8, 5))).not.toMatch(/2026/)
  expect(plain(new Date(2025, 10, 29, 8, 5))).toMatch(/2025/)
})

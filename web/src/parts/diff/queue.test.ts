import { expect, test } from 'vitest'

import type { TaskSummary } from '../../api/protocol'
import { attemptOf, beside, queue } from './queue'

const task = (attempts: [string, string, string][], archived = false) =>
  ({
    archived,
    attempts: attempts.map(([handle, attention, since]) => ({ handle, status: { attention, since } })),
  }) as unknown as TaskSummary

const tasks = [
  task([['t1', 'in_review', '2026-01-02T00:00:00Z']]),
  task([
    ['t2.1', 'done', '2026-01-01T00:00:00Z'],
    ['t2.2', 'in_review', '2026-01-01T00:00:00Z'],
  ]),
  task([['t3', 'in_review', '2026-01-01T00:00:00Z']], true),
]

test('who waits longest comes first, and nobody who was put away', () => {
  expect(queue(tasks)).toEqual(['t2.2', 't1'])
})

test('next goes around, and to the first from elsewhere', () => {
  expect([beside(['a', 'b'], 'b', 1), beside(['a', 'b'], 'a', -1), beside(['a', 'b'], 'x', 1)]).toEqual([
    'a',
    'b',
    'a',
  ])
  expect(beside(['a'], 'a', 1)).toBeNull()
})

test('of several attempts the one that waits is meant', () => {
  expect([attemptOf(tasks[1], 't2'), attemptOf(tasks[0], 't1'), attemptOf(undefined, 't9')]).toEqual([
    't2.2',
    't1',
    't9',
  ])
})

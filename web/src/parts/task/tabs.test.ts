import { expect, test } from 'vitest'

import { attemptOf, tabOf } from './tabs'

const attempt = (number: number, state: string) => ({
  handle: `t1.${number}`,
  number,
  status: { attention: 'x', state },
})

test('an address without a tab, or with a foreign one, shows the transcript', () => {
  expect(tabOf('')).toBe('transcript')
  expect(tabOf('nonsense')).toBe('transcript')
  expect(tabOf('evidence')).toBe('evidence')
})

test('a task shows the attempt that its state comes from, an attempt itself', () => {
  const task = {
    status: { attention: 'x', state: 'in review' },
    attempts: [attempt(1, 'stopped'), attempt(2, 'in review')],
  }
  expect(attemptOf(task, 't1')?.number).toBe(2)
  expect(attemptOf(task, 't1.1')?.number).toBe(1)
  expect(attemptOf(task, 't1.9')).toBeUndefined()
})

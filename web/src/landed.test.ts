import { expect, test } from 'vitest'

import type { TaskSummary } from './api/protocol'
import { followLanding, outcomes } from './landed'

function board(attention: string, state: string, landed = false): Map<string, TaskSummary> {
  const status = { attention, state, reason: 'the reason' }
  const task = { handle: 't1', target: 'main', status, attempts: [{ handle: 't1', status, landed }] }
  return new Map([['t1', task as unknown as TaskSummary]])
}

test('a landing is told once it has happened, and once', () => {
  followLanding('t1')
  expect(outcomes(board('ready_to_land', 'ready to land'))).toEqual([])
  expect(outcomes(board('working', 'landing'))).toEqual([])
  const landed = board('done', 'landed', true)
  expect(outcomes(landed)).toEqual([['t1', { landed: true, target: 'main' }]])
  expect(outcomes(landed)).toEqual([])
})

test('one that does not happen is told with the reason', () => {
  followLanding('t1')
  expect(outcomes(board('working', 'landing'))).toEqual([])
  expect(outcomes(board('backlog', 'queued'))).toEqual([['t1', { landed: false, why: 'the reason' }]])
})

import { expect, test } from 'vitest'

import type { AttemptView } from '../../api/protocol'
import { idleEffect, inTurn, refusal } from './composer'

const attempt = (state: string, attention: string, more: object = {}) =>
  ({ status: { state, attention }, turns: [], queue: [], ...more }) as unknown as AttemptView

test('there is a choice only while a turn runs', () => {
  expect(inTurn(attempt('queued', 'backlog'))).toBe(false)
  expect(inTurn(attempt('working', 'working', { turns: [{ ended: null }] }))).toBe(true)
  expect(inTurn(attempt('in review', 'in_review', { turns: [{ ended: '2026-01-01' }] }))).toBe(false)
})

test('an attempt that can take no words says why and what helps', () => {
  expect(refusal(attempt('landed', 'done'), false)).toMatch(/Undo the landing/)
  expect(refusal(attempt('stopped', 'done'), true)).toMatch(/Restore/)
  expect(refusal(attempt('stopped', 'done'), false)).toBeNull()
  expect(refusal(attempt('working', 'working'), false)).toBeNull()
})

test('what words do is said before they are sent', () => {
  expect(idleEffect(attempt('in review', 'in_review', { turns: [{}] }))).toMatch(/checked and reviewed anew/)
  expect(idleEffect(attempt('queued', 'backlog'))).toMatch(/with the task/)
})

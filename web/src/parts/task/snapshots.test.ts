import { expect, test } from 'vitest'

import type { AttemptView, WorkspaceSnapshotView } from '../../api/protocol'
import { nameOf, rollbackEffect, rollbackRefusal } from './snapshots'

const attempt = (state: string, more: object = {}) =>
  ({
    status: { state },
    turns: [{ ended: '2026-01-01T00:00:00Z' }],
    workspace: {},
    ...more,
  }) as unknown as AttemptView
const snapshot = (moment: WorkspaceSnapshotView['moment'], turn = 0) =>
  ({ moment, turn }) as WorkspaceSnapshotView

test('a snapshot is called by what it was taken for', () => {
  expect(nameOf(snapshot('turn', 3))).toBe('After turn 3')
  expect(nameOf(snapshot('base'))).toBe('The base')
})

test('nothing is brought back under an agent that writes', () => {
  expect(rollbackRefusal(attempt('in review'), false)).toBeNull()
  expect(rollbackRefusal(attempt('in review', { turns: [{ ended: null }] }), false)).toMatch(/in a turn/)
  expect(rollbackRefusal(attempt('landed'), false)).toMatch(/landed/)
  expect(rollbackRefusal(attempt('stopped', { workspace: null }), false)).toMatch(/no workspace/)
  expect(rollbackRefusal(attempt('stopped'), true)).toMatch(/archived/)
})

test('what happens is said before', () => {
  expect(rollbackEffect(snapshot('turn', 2), [])).toMatch(
    /^All recorded files will be as they were after turn 2/,
  )
  expect(rollbackEffect(snapshot('base'), ['a', 'b'])).toMatch(/^These 2 files .* in the beginning/)
})

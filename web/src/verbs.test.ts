import { expect, test } from 'vitest'

import type { Attention } from './api/protocol'
import { type Actionable, verbsOf } from './verbs'

const task = (attention: Attention, rest: Partial<Actionable> = {}): Actionable => ({
  archived: false,
  staged: false,
  target: 'main',
  status: { attention, state: '', reason: '', since: '', next: '', until: null },
  attempts: [],
  ...rest,
})
const effectOf = (of: Actionable, id: string) => verbsOf(of).find((verb) => verb.id === id)?.effect

test('undo says that the branch goes back, that it does so only if nothing moved it, and what stays', () => {
  const effect = effectOf(task('done', { attempts: [{ landed: true }] }), 'undo')
  expect(effect).toContain('main goes back to where it was before this landing')
  expect(effect).toContain('if nothing moved it since')
  expect(effect).toContain('stays approved')
  expect(effect, 'no commit takes it out').not.toContain('commit')
})

test('nothing is offered that the daemon would refuse', () => {
  const idsOf = (of: Actionable) => verbsOf(of).map((verb) => verb.id)
  const state = (attention: Attention, state: string) => {
    const plain = task(attention)
    return { ...plain, status: { ...plain.status, state } }
  }
  expect(idsOf(state('needs_you', 'waiting for permission'))).toEqual(['stop'])
  expect(idsOf(state('needs_you', 'waiting for instruction'))).toEqual(['resume', 'stop'])
  expect(idsOf(state('needs_you', 'landing failed'))).toEqual(['land', 'withdraw', 'stop'])
  expect(idsOf(state('working', 'undoing'))).toEqual([])
})

import { expect, test } from 'vitest'

import type { AttemptView, CommitView } from '../../api/protocol'
import { scopesOf } from './scopes'

const attempt = {
  handle: 't1',
  result: { commit: 'c2' },
  reviews: [{ commit: 'c1' }],
  turns: [{ number: 1, snapshot: 's1' }],
  results: [{ turn: 1, commit: 'c2' }],
  workspace: {},
} as unknown as AttemptView
const commit = (commit: string, parent: string | null, subject: string) =>
  ({ commit, parent, subject }) as CommitView

test('what can be compared is named, also where there is one commit', () => {
  const titles = scopesOf(attempt, [commit('0123456789', 'base', 'Mend it')]).map((one) => one.title)
  expect(titles).toEqual([
    'Against its base',
    'Since my last review',
    'The files as they are now',
    'Commit 01234567 Mend it',
  ])
  expect(scopesOf(attempt, [commit('root', null, 'The first')]).length, 'nothing stands before a root').toBe(
    3,
  )
})

import { expect, test } from 'vitest'

import type { AttemptView } from '../../api/protocol'
import { checksOf } from './compare'

const attempt = (criteria: [string, string][], checks: [string, string][]) =>
  ({
    criteria: criteria.map(([text, state], index) => ({ number: index + 1, text, state })),
    checks: checks.map(([name, state]) => ({ name, state })),
  }) as unknown as AttemptView

test('each check stands once, with how it stands for every attempt', () => {
  const rows = checksOf([
    attempt(
      [['it adds up', 'holds']],
      [
        ['compiles', 'holds'],
        ['criterion 1', 'holds'],
      ],
    ),
    attempt(
      [['it adds up', 'fails']],
      [
        ['compiles', 'unknown'],
        ['lint', 'fails'],
      ],
    ),
  ])
  expect(rows.map((row) => [row.title, ...row.states])).toEqual([
    ['it adds up', 'holds', 'fails'],
    ['compiles', 'holds', 'unknown'],
    ['lint', null, 'fails'],
  ])
})

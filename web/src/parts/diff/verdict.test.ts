import { expect, test } from 'vitest'

import type { AttemptView } from '../../api/protocol'
import { verdicts } from './verdict'

const attempt = (attention: string, state = 'in review', rest: object = {}) =>
  ({
    status: { attention, state, reason: '' },
    comments: [{ pending: true }, { pending: false }],
    criteria: [],
    landing: null,
    result: {},
    ...rest,
  }) as unknown as AttemptView

test('what would happen is said before it does', () => {
  const review = verdicts(attempt('in_review'), 'main')
  expect([review.approve, review.request, review.land, review.pending]).toEqual([true, true, false, 1])
  expect(review.effect).toContain('Your 1 draft would stay unsent')
  const ready = verdicts(attempt('ready_to_land', 'ready to land'), 'main')
  expect([ready.approve, ready.land]).toEqual([false, true])
  expect(ready.effect).toContain('main moves if they pass')
})

test('nothing is offered that the daemon would refuse', () => {
  const working = verdicts(attempt('working', 'working'), 'main')
  expect([working.approve, working.request, working.land, working.undo]).toEqual([false, false, false, false])
  const landed = verdicts(attempt('done', 'landed', { landing: {} }), 'main')
  expect([landed.request, landed.undo]).toEqual([false, true])
  expect(landed.effect).toContain(
    'moves main back to where it was before this landing, if nothing moved it since',
  )
})

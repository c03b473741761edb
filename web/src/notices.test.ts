import { expect, test } from 'vitest'

import type { AskView, TaskSummary } from './api/protocol'
import { isQuiet, isWanted, noticesOf, readChoices, usual } from './notices'

const item = (number: number, ask: Partial<AskView>, answered = false) => ({
  handle: `t1#${number}`,
  attempt: 't1.1',
  ask,
  ...(answered && { answered: {} }),
})
const task = (rest: object) =>
  ({ handle: 't1', title: 'Mend it', items: [], attempts: [], ...rest }) as unknown as TaskSummary

test('what waits for a person is told with the task, and never with what the agent says', () => {
  const items = [
    item(1, { kind: 'permission', title: 'rm -rf /', tool: 'execute', detail: 'secret', options: [] }),
    item(2, { kind: 'review', commit: 'abc' }),
    item(3, { kind: 'question', text: 'secret?', options: [] }, true),
  ]
  const told = noticesOf(task({ items }))
  expect(told.map(({ id, kind, href }) => [id, kind, href])).toEqual([
    ['t1#1', 'permission', '/tasks/t1.1'],
    ['t1#2', 'review', '/review/t1.1'],
  ])
  expect(told[0]).toMatchObject({ title: 't1: A permission is asked for', body: 'Mend it' })
  expect(JSON.stringify(told)).not.toMatch(/secret|rm -rf/)
})

test('a landing is told by how it ended, once for each', () => {
  const attempt = (state: string) => ({ handle: 't1.1', status: { state, since: '2026-01-01T00:00:00Z' } })
  const kinds = (state: string) => noticesOf(task({ attempts: [attempt(state)] })).map((one) => one.kind)
  expect([kinds('landed'), kinds('landing failed'), kinds('working')]).toEqual([['landed'], ['failed'], []])
})

test('quiet hours may go over midnight', () => {
  const quiet = { from: 22, to: 7 }
  expect([21, 22, 0, 6, 7].map((hour) => isQuiet(quiet, hour))).toEqual([false, true, true, true, false])
  expect([8, 9, 17].map((hour) => isQuiet({ from: 9, to: 17 }, hour))).toEqual([false, true, false])
  expect(isQuiet(null, 3) || isQuiet({ from: 5, to: 5 }, 5)).toBe(false)
  const on = { ...usual, on: true, quiet }
  expect([isWanted(on, 'review', 12), isWanted(on, 'review', 23), isWanted(on, 'landed', 12)]).toEqual([
    true,
    false,
    false,
  ])
  expect(isWanted(usual, 'review', 12)).toBe(false)
})

test('choices that make no sense are the usual ones', () => {
  for (const text of [null, '', 'null', '3', '{', '{"on":"yes","quiet":{"from":99,"to":1}}'])
    expect(readChoices(text)).toEqual(usual)
  expect(readChoices('{"on":true,"kinds":{"landed":true}}')).toEqual({
    ...usual,
    on: true,
    kinds: { ...usual.kinds, landed: true },
  })
})

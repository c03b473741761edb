import { expect, test } from 'vitest'

import type { Attention, TaskSummary } from './api/protocol'
import { dropOf } from './drag'

const task = (handle: string, attention: Attention, staged = false) =>
  ({ handle, staged, status: { attention } }) as unknown as TaskSummary

test('a staged card is started, and one that waits gets another place', () => {
  expect(dropOf(task('t1', 'backlog', true), 'working', null)).toEqual({ does: 'start' })
  expect(dropOf(task('t1', 'backlog'), 'backlog', task('t2', 'backlog'))).toEqual({
    does: 'move',
    before: 't2',
  })
  expect(dropOf(task('t1', 'backlog'), 'backlog', null)).toEqual({ does: 'move', before: null })
})

test('a card cannot be dragged into a state', () => {
  expect(dropOf(task('t1', 'backlog'), 'working', null).does).toBe('nothing')
  expect(dropOf(task('t1', 'in_review'), 'done', null)).toMatchObject({
    does: 'nothing',
    why: expect.stringContaining('follow'),
  })
  expect(dropOf(task('t1', 'backlog'), 'backlog', task('t1', 'backlog'))).toEqual({
    does: 'nothing',
    why: '',
  })
})

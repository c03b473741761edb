import { expect, test } from 'vitest'

import type { Attention, TaskSummary } from './api/protocol'
import { between, byColumn, matching, shownOf, waiting } from './board'

function task(number: number, attention: Attention, fields: Partial<TaskSummary> = {}): TaskSummary {
  const status = {
    attention,
    state: 'x',
    reason: '',
    since: `2026-01-01T00:00:0${number}Z`,
    next: '',
    until: null,
  }
  return {
    handle: `t${number}`,
    number,
    title: `Task ${number}`,
    project: 'p',
    root: '/p',
    status,
    attempts: [],
    archived: false,
    ...fields,
  } as unknown as TaskSummary
}

test('every task is in the column of its state, what waits longest first, what is done newest first', () => {
  const found = byColumn([task(2, 'needs_you'), task(1, 'needs_you'), task(3, 'done'), task(4, 'done')])
  expect(found.get('needs_you')?.map((t) => t.handle)).toEqual(['t1', 't2'])
  expect(found.get('done')?.map((t) => t.handle)).toEqual(['t4', 't3'])
  expect([...found.keys()]).toEqual(['backlog', 'working', 'needs_you', 'in_review', 'ready_to_land', 'done'])
})

test('a filter finds every word anywhere, and archived tasks only when asked', () => {
  const tasks = [
    task(1, 'working', { title: 'Fix the pager' }),
    task(2, 'done', { archived: true, title: 'Fix it' }),
  ]
  const handles = (text: string, archived = false, project = '') =>
    matching(tasks, { text, archived, project }).map((t) => t.handle)
  expect(handles('PAGER fix')).toEqual(['t1'])
  expect(handles('pager nothing')).toEqual([])
  expect(handles('fix', true)).toEqual(['t2'])
  expect(handles('', false, '/other')).toEqual([])
})

test('what waits for a person is counted once a task, archived ones not', () => {
  const tasks = [
    task(1, 'needs_you'),
    task(2, 'in_review'),
    task(3, 'working'),
    task(4, 'needs_you', { archived: true }),
  ]
  expect(waiting(tasks)).toBe(2)
})

test('what the board shows stands in its address', () => {
  const shown = shownOf(new URLSearchParams('q=pager&project=/shop&group=project&archived=yes&column=done'))
  expect(shown).toEqual({
    filter: { text: 'pager', project: '/shop', archived: true },
    grouped: true,
    column: 'done',
  })
  const plain = shownOf(new URLSearchParams('column=nowhere'))
  expect(plain).toEqual({
    filter: { text: '', project: '', archived: false },
    grouped: false,
    column: 'needs_you',
  })
})

test('a range goes both ways, and not from a card that is not shown', () => {
  const cards = ['t1', 't2', 't3', 't4'].map((handle) => ({ handle }) as TaskSummary)
  expect(between(cards, 't3', 't1')).toEqual(['t1', 't2', 't3'])
  expect(between(cards, 't2', 't4')).toEqual(['t2', 't3', 't4'])
  expect(between(cards, 't9', 't2')).toEqual(['t2'])
})

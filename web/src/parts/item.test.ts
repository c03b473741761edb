import { expect, test } from 'vitest'

import type { AskView, ItemView } from '../api/protocol'
import { answersOf, groupOf, titleOf } from './item'

const item = (ask: AskView) => ({ handle: 't1#1', ask }) as ItemView

test('yes comes before no and once before always, whatever order the agent sent', () => {
  const ask: AskView = {
    kind: 'permission',
    title: 'rm -rf build',
    tool: 'execute',
    detail: '',
    options: [
      { id: 'never', name: 'Never', effect: 'deny_always' },
      { id: 'always', name: 'Always', effect: 'allow_always' },
      { id: 'no', name: 'No', effect: 'deny_once' },
      { id: 'yes', name: 'Yes', effect: 'allow_once' },
    ],
  }
  expect(titleOf(item(ask))).toBe('Permission to run a command')
  expect(answersOf(item(ask)).map((one) => one.title)).toEqual(['Yes', 'Always', 'No', 'Never'])
  expect(answersOf(item(ask))[0]).toMatchObject({ answer: { answer: 'chosen', option: 'yes' } })
})

test('a permission without options can still be given or refused', () => {
  const ask: AskView = { kind: 'permission', title: 'x', tool: 'other', detail: '', options: [] }
  expect(answersOf(item(ask))).toMatchObject([
    { answer: { answer: 'approved' } },
    { answer: { answer: 'denied' } },
  ])
})

test('a review and a stall are not answered by a word', () => {
  expect(answersOf(item({ kind: 'review', commit: 'abc' }))).toEqual([])
  expect(answersOf(item({ kind: 'stall', why: 'w', hint: '' }))).toEqual([])
})

test('what stands still goes on with what it needs, or ends', () => {
  const held = (held: ItemView['held']) =>
    answersOf({ ...item({ kind: 'stall', why: 'w', hint: '' }), held }).map((one) =>
      'way' in one ? one.way : null,
    )
  const stop = { does: 'stop' }
  const unlimited = { does: 'resume', budget: null }
  expect(held({ budget: null, again: null })).toEqual([{ does: 'resume' }, stop])
  expect(held({ budget: '$0.02', again: '$0.05' })).toEqual([
    { does: 'resume', budget: '$0.05' },
    unlimited,
    stop,
  ])
  expect(held({ budget: '$0.02', again: null }), 'nobody knows what was used').toEqual([unlimited, stop])
})

test('items are grouped by what a yes lets happen, and an unknown tool is not taken for a harmless one', () => {
  const of = (tool: string) =>
    groupOf(item({ kind: 'permission', title: 'x', tool, detail: '', options: [] }))
  expect(['delete', 'move', 'execute', 'fetch', 'edit', 'read', 'search', 'new kind'].map(of)).toEqual([
    'deletes',
    'deletes',
    'runs',
    'network',
    'changes',
    'reads',
    'reads',
    'other',
  ])
  expect(groupOf(item({ kind: 'question', text: 'x', options: [] }))).toBe('question')
})

test('a no can say why, and for a criterion it has to', () => {
  const no = (ask: AskView) => answersOf(item(ask)).map((one) => one.why ?? null)
  expect(no({ kind: 'criterion', criterion: 1, text: 'x' })).toEqual([null, 'must'])
  expect(no({ kind: 'permission', title: 'x', tool: 'edit', detail: '', options: [] })).toEqual([null, 'may'])
  const options = [{ id: 'a', name: 'Never mind', effect: 'deny_once' as const }]
  expect(no({ kind: 'question', text: 'x', options }), 'an answer is no refusal').toEqual([null])
})

import { describe, expect, test } from 'vitest'

import type { TranscriptEntryView } from '../../api/protocol'
import {
  answersIn,
  answerWords,
  changedLines,
  commandOf,
  isShown,
  merge,
  shortPath,
  type EntryOf,
} from './entries'

const said = (session: number, seq: number, text: string, rev = seq): TranscriptEntryView => ({
  rev,
  session,
  seq,
  at: '2026-01-01T00:00:00Z',
  turn: 1,
  entry: 'message',
  text: { text },
})
const texts = (entries: TranscriptEntryView[]) =>
  entries.map((entry) => (entry.entry === 'message' ? entry.text.text : entry.entry))

describe('merge', () => {
  const known = [said(1, 2, 'a'), said(1, 3, 'b'), said(2, 1, 'c')]

  test('a changed entry takes the place of what it was, a new one comes in its order', () => {
    expect(texts(merge(known, [said(1, 3, 'B', 9), said(2, 2, 'd')], false))).toEqual(['a', 'B', 'c', 'd'])
  })
  test('what stands above the first that is loaded waits until its page is', () => {
    expect(texts(merge(known, [said(1, 1, 'above')], true))).toEqual(['a', 'b', 'c'])
    expect(texts(merge(known, [said(1, 1, 'above')], false))).toEqual(['above', 'a', 'b', 'c'])
  })
  test('the same entry twice is there once', () => {
    expect(texts(merge(known, [said(2, 1, 'c'), said(2, 1, 'c')], false))).toEqual(['a', 'b', 'c'])
  })
})

test('a request shows the name of the option that was chosen, and nothing while it waits', () => {
  const request = {
    ...said(1, 4, ''),
    entry: 'permission_request',
    request: '7',
    tool_call: 'x',
    title: 'Edit',
    options: [{ id: 'once', name: 'Allow once', effect: 'allow_once' }],
  } as EntryOf<'permission_request'>
  expect(answerWords(request, answersIn([]))).toBeNull()
  const answered = {
    ...said(1, 5, ''),
    entry: 'answered',
    request: '7',
    answer: { how: 'chosen', option: 'once' },
  }
  expect(answerWords(request, answersIn([answered as TranscriptEntryView]))).toBe('Allow once')
  const elsewhere = { ...answered, session: 2 } as TranscriptEntryView
  expect(answerWords(request, answersIn([elsewhere]))).toBeNull()
})

test('empty words are not shown', () => {
  expect(isShown(said(1, 1, ' \n'))).toBe(false)
  expect(isShown(said(1, 1, 'x'))).toBe(true)
})

test('a small diff leaves out what is the same at both ends', () => {
  const side = (old: string | undefined, now: string) =>
    changedLines(old, now).map(
      (line) => `${{ context: ' ', added: '+', removed: '-' }[line.side]}${line.text}`,
    )
  expect(side('a\nb\nc\nd\ne\nf\n', 'a\nb\nc\nX\ne\nf\n')).toEqual([' b', ' c', '-d', '+X', ' e', ' f'])
  expect(side(undefined, 'new\n')).toEqual(['+new'])
  expect(side('gone\n', '')).toEqual(['-gone'])
  expect(side('a\na\n', 'a\na\na\n')).toEqual([' a', ' a', '+a'])
})

test('a command is shown where its title does not say it', () => {
  const call = (title: string, text: string) => commandOf({ kind: 'execute', title, input: { text } })
  expect(call('ls -l', '{"command":"ls -l"}')).toBe('')
  expect(call('List files', '{"command":["ls","-l"]}')).toBe('ls -l')
  expect(call('List files', 'ls')).toBe('ls')
  expect(commandOf({ kind: 'edit', title: 'x', input: { text: '{}' } })).toBe('')
})

test('a path in the workspace begins at its top', () => {
  expect(shortPath('/w/t1/src/a.rs', '/w/t1')).toBe('src/a.rs')
  expect(shortPath('/w/t10/a', '/w/t1')).toBe('/w/t10/a')
  expect(shortPath('a', undefined)).toBe('a')
})

import { expect, test } from 'vitest'

import {
  empty,
  keep,
  load,
  listOf,
  looksLikeList,
  mention,
  mentions,
  missing,
  prompts,
  request,
  split,
} from './draft'

test('a pasted list becomes tasks, however it is written', () => {
  expect(split('- one\n- [ ] two\n  with more\n\n* three\n1. four\n2) five')).toEqual([
    'one',
    'two\nwith more',
    'three',
    'four',
    'five',
  ])
  expect(split('# Today\r\nfirst\r\n\r\nsecond')).toEqual(['first', 'second'])
  expect(split('Intro\n- one')).toEqual(['one'])
  expect(split('')).toEqual([])
  expect(split(listOf(['one', 'two\nmore']))).toEqual(['one', 'two\nmore'])
  expect(prompts({ prompt: 'a\nb', several: true })).toEqual(['a', 'b'])
  expect(prompts({ prompt: 'a\nb', several: false })).toEqual(['a\nb'])
})

test('only what has several items looks like a list', () => {
  expect(looksLikeList('- one\n- two')).toBe(true)
  expect(looksLikeList('Fix it:\n- once')).toBe(false)
  expect(looksLikeList('one\ntwo')).toBe(false)
})

test('a draft becomes a request, and what was left empty is not asked for', () => {
  const draft = {
    ...empty,
    root: '/p',
    images: [{ hash: 'a1', name: 'shot.png', media_type: 'image/png', bytes: 70 }],
    title: ' T ',
    criteria: [
      { text: '', command: 'make test', by: 'command' as const },
      { text: 'reads well', command: 'ignored', by: 'person' as const },
      { text: ' ', command: '', by: 'command' as const },
    ],
    agents: { codex: 2, goose: 1 },
    scope: 'src/\n\n docs/ \n',
    budget: '2.50',
    rounds: '0',
  }
  expect(request(draft, 'do it', true)).toEqual({
    root: '/p',
    prompt: 'do it',
    images: [{ hash: 'a1', name: 'shot.png' }],
    title: 'T',
    criteria: [
      { text: 'make test', command: 'make test' },
      { text: 'reads well', command: null },
    ],
    checks: [],
    agents: ['codex', 'codex', 'goose'],
    attempts: 1,
    base: null,
    permissions: null,
    rounds: 0,
    scope: ['src/', 'docs/'],
    budget: '2.50',
    stage: true,
  })
  expect(request({ ...draft, several: true }, 'x', false).title).toBeNull()
})

test('what is missing is said before anything is sent', () => {
  const good = { ...empty, root: '/p', prompt: 'x' }
  expect(missing(good)).toBeNull()
  expect(missing({ ...good, root: '' })).toContain('project')
  expect(missing({ ...good, prompt: ' ' })).toContain('wanted')
  expect(missing({ ...good, criteria: [{ text: 'fast', command: '', by: 'command' }] })).toContain('fast')
  for (const budget of ['2.50', '$3', '200k', '1.5M tokens', '500 tokens'])
    expect(missing({ ...good, budget })).toBeNull()
  for (const budget of ['much', '-1', '2,50']) expect(missing({ ...good, budget })).toContain('budget')
  expect(missing({ ...good, rounds: '1.5' })).toContain('rounds')
})

test('a file is named at the caret and anywhere in the text', () => {
  expect(mention('look at @src/pa', 15)).toEqual({ from: 8, query: 'src/pa' })
  expect(mention('@', 1)).toEqual({ from: 0, query: '' })
  expect(mention('a@b.c', 5)).toBeNull()
  expect(mention('@x and', 6)).toBeNull()
  expect(mentions('see @a/b.rs, (@c.md) and me@home.org @a/b.rs.')).toEqual(['a/b.rs', 'c.md'])
})

test('what was being written is there again, and what is broken is passed over', () => {
  keep({ ...empty, prompt: 'half', agents: { codex: 1 } })
  expect(load()).toEqual({ ...empty, prompt: 'half', agents: { codex: 1 } })
  localStorage.setItem('divisi.draft', '{"prompt":3,"title":"t","other":1}')
  expect(load()).toEqual({ ...empty, title: 't' })
  localStorage.setItem('divisi.draft', 'no')
  expect(load()).toEqual(empty)
})

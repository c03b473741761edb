import { beforeEach, expect, test, vi } from 'vitest'

import type { ItemView } from '../api/protocol'
import { deny, denying, give, isGiven, words } from './deed.svelte'
import { answersOf } from './item'
import { drafts } from './task/drafts'

const asked: { path: string; body: unknown }[] = []
/** Paths that the daemon refuses. */
let refuses = /never/

beforeEach(() => {
  asked.length = 0
  refuses = /never/
  words.clear()
  denying.clear()
  drafts.clear()
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push({ path, body: JSON.parse(String(init.body)) })
    const refused = refuses.test(path)
    const body = refused ? { kind: 'wrong_state', message: 'no', hint: '' } : {}
    return new Response(JSON.stringify(body), { status: refused ? 409 : 200 })
  })
})

let number = 0
const item = (ask: ItemView['ask']) =>
  ({ handle: `t1#${++number}`, task: 't1', attempt: 't1', ask }) as ItemView
const criterion = () => item({ kind: 'criterion', criterion: 1, text: 'It reads well' })
const permission = () =>
  item({
    kind: 'permission',
    title: 'rm',
    tool: 'delete',
    detail: '',
    options: [
      { id: 'yes', name: 'Yes', effect: 'allow_once' },
      { id: 'no', name: 'No', effect: 'deny_once' },
    ],
  })

test('a criterion goes back with words on what is missing', async () => {
  const one = criterion()
  const no = answersOf(one)[1]!
  expect(await give(one, no), 'the words are asked for first').toBe(false)
  expect([denying.has(one.handle), asked]).toEqual([true, []])
  words.set(one.handle, 'no comments')
  expect(await give(one, no)).toBe(true)
  expect(asked[0]!.body).toEqual({ answer: 'denied', reason: 'no comments' })
})

test('words that say why not are not lost by a yes', async () => {
  const one = permission()
  denying.add(one.handle)
  words.set(one.handle, 'not that file')
  expect(await give(one, answersOf(one)[0]!)).toBe(false)
  expect([asked, words.get(one.handle)]).toEqual([[], 'not that file'])
})

test('the reason of a refusal follows it into the turn, and waits in the composer where it cannot', async () => {
  const one = permission()
  words.set(one.handle, 'not that file')
  expect(await deny(one)).toBe(true)
  expect(asked.map(({ body }) => body)).toEqual([
    { answer: 'chosen', option: 'no' },
    { text: 'not that file', images: [], delivery: 'steer' },
  ])
  refuses = /send/
  const two = permission()
  words.set(two.handle, 'nor that one')
  await deny(two)
  expect(drafts.get('t1')?.words).toBe('nor that one')
})

test('what fails stays as it was, with its words', async () => {
  refuses = /answer/
  const one = permission()
  words.set(one.handle, 'not that file')
  expect(await deny(one)).toBe(false)
  expect([isGiven(one), words.get(one.handle)]).toEqual([false, 'not that file'])
})

test('what is being answered is not answered twice', async () => {
  const one = permission()
  const first = give(one, answersOf(one)[0]!)
  expect(isGiven(one)).toBe(true)
  expect(await give(one, answersOf(one)[1]!)).toBe(false)
  await first
  expect(asked.length).toBe(1)
})

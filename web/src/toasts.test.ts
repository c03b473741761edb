import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { toasts } from './toasts.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  for (const { id } of toasts.all) toasts.dismiss(id)
  vi.useRealTimers()
})
const texts = () => toasts.all.map((toast) => toast.text)
const undo = { title: 'Undo', run: () => {} }

test('words go by themselves, those with a way back later, and failures stay', () => {
  toasts.say('plain')
  toasts.say('can be taken back', { undo })
  toasts.say('failed', { bad: true })
  vi.advanceTimersByTime(10_000)
  expect(texts()).toEqual(['can be taken back', 'failed'])
  vi.advanceTimersByTime(60_000)
  expect(texts()).toEqual(['failed'])
})

test('nothing goes while somebody is among them', () => {
  toasts.say('read slowly', { undo })
  toasts.hold(true)
  vi.advanceTimersByTime(600_000)
  expect(texts()).toEqual(['read slowly'])
  toasts.hold(false)
  vi.advanceTimersByTime(60_000)
  expect(texts()).toEqual([])
})

test('many words push out neither a way back nor a failure', () => {
  toasts.say('failed', { bad: true })
  toasts.say('can be taken back', { undo })
  for (let n = 0; n < 20; n += 1) toasts.say(`plain ${n}`)
  expect(texts().slice(0, 2)).toEqual(['failed', 'can be taken back'])
})

test('the key takes back what was done last, one after the other', () => {
  const done: string[] = []
  for (const name of ['first', 'second']) {
    toasts.say(name, { undo: { title: 'Undo', run: () => done.push(name) } })
  }
  toasts.say('plain')
  expect([toasts.undoLast(), toasts.undoLast(), toasts.undoLast()]).toEqual([true, true, false])
  expect(done).toEqual(['second', 'first'])
})

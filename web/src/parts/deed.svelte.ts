// What is written for inbox items and what was answered already, on whatever screen: an answer that fails loses no word.

import { SvelteMap, SvelteSet } from 'svelte/reactivity'

import { path, post } from '../api/client'
import { live } from '../api/live.svelte'
import type { ItemView, TaskSummary, TaskView } from '../api/protocol'
import { toasts } from '../toasts.svelte'
import { answer, goOn, review, said } from '../verbs'
import { answersOf, type Choice } from './item'
import { drafts } from './task/drafts'

/** Words that were not sent yet, by item. */
export const words = new SvelteMap<string, string>()
/** The items for which somebody says why not. */
export const denying = new SvelteSet<string>()
/** What was answered here: asked for, or carried out as of what was known of the task then. */
const given = new SvelteMap<string, 'asked' | TaskSummary | undefined>()

/** Whether an item was answered here, and the page only has not heard of it yet. */
export function isGiven(item: ItemView): boolean {
  const state = given.get(item.handle)
  return state === 'asked' || (state !== undefined && state === live.tasks.get(item.task))
}

/** Gives an answer. One that needs words asks for them first; words that would be lost keep a yes from being given. */
export async function give(item: ItemView, chosen: Choice): Promise<boolean> {
  const { handle } = item
  const why = words.get(handle)?.trim() ?? ''
  if (chosen.why === 'must' && !denying.has(handle)) {
    denying.add(handle)
    return false
  }
  if (!chosen.why && denying.has(handle) && why) {
    toasts.say(`${handle}: your words say why not; take them away first, or send them`, { bad: true })
    return false
  }
  return done(item, async () => {
    if ('way' in chosen) return goOn(item, chosen.way)
    const { answer: form } = chosen
    const said = await answer(item, form.answer === 'denied' ? { ...form, reason: why } : form)
    // A refusal that goes through an agent's own option has no room for words: they follow it into the turn.
    if (said && chosen.why === 'may' && why) await tell(item, why)
    return said
  })
}

/** Answers a question in the words that were written. */
export function say(item: ItemView): Promise<boolean> {
  const text = words.get(item.handle)?.trim() ?? ''
  if (!text) return Promise.resolve(false)
  if (item.ask.kind === 'stall') return done(item, () => goOn(item, { does: 'resume', budget: text }))
  return done(item, () => answer(item, { answer: 'text', text }))
}

/** Refuses with the words that were written. */
export function deny(item: ItemView): Promise<boolean> {
  const no = answersOf(item).find((one) => one.why)
  return no ? give(item, no) : Promise.resolve(false)
}

/** Approves a result without a look at it. */
export function approveUnseen(item: ItemView): Promise<boolean> {
  const { ask, attempt } = item
  if (ask.kind !== 'review') return Promise.resolve(false)
  return done(item, () =>
    toasts.try(async () => {
      await review(attempt, 'approved', ask.commit)
      said(attempt, 'approve')
    }),
  )
}

async function tell({ attempt }: ItemView, text: string): Promise<void> {
  const told = await toasts.try(() =>
    post<TaskView>(path('tasks', attempt, 'send'), { text, images: [], delivery: 'steer' }),
  )
  if (told) return
  const draft = drafts.get(attempt)
  drafts.set(attempt, {
    words: draft?.words ? `${draft.words}\n\n${text}` : text,
    images: draft?.images ?? [],
  })
  toasts.say(`${attempt}: it was refused; your words wait in its composer`, { bad: true })
}

async function done(item: ItemView, work: () => Promise<boolean>): Promise<boolean> {
  const { handle } = item
  if (given.get(handle) === 'asked') return false
  given.set(handle, 'asked')
  const well = await work()
  if (well) {
    words.delete(handle)
    denying.delete(handle)
    given.set(handle, live.tasks.get(item.task))
  } else {
    given.delete(handle)
  }
  return well
}

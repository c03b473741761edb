// What a person can do with a task or attempt, and what happens if they do: the same words on every screen.

import { path, post } from './api/client'
import { live } from './api/live.svelte'
import type { AnswerView, ItemView, TaskSummary, TaskView, Verdict } from './api/protocol'
import { byColumn } from './board'
import { followLanding, outcomes } from './landed'
import { toasts } from './toasts.svelte'
import { count } from './words'

export interface Verb {
  id: 'start' | 'land' | 'undo' | 'stop' | 'resume' | 'archive' | 'restore' | 'approve' | 'withdraw'
  title: string
  /** What happens if I say yes, in a sentence. */
  effect: string
}

/** As much of a task, or of one of its attempts, as decides what can be done. */
export type Actionable = Pick<TaskSummary, 'archived' | 'staged' | 'target' | 'status'> & {
  attempts: readonly { landed: boolean }[]
}

/** What a task or attempt in a state allows; the daemon refuses the rest with a reason. */
export function verbsOf(task: Actionable): Verb[] {
  const { attention, state } = task.status
  const landed = task.attempts.some((attempt) => attempt.landed)
  if (task.archived) {
    return [
      { id: 'restore', title: 'Restore', effect: 'The task comes back with its workspaces as they were.' },
    ]
  }
  if (task.staged) {
    return [
      { id: 'start', title: 'Start', effect: 'An agent begins as soon as there is a free slot.' },
      { id: 'archive', title: 'Discard', effect: 'It is put away unstarted; Restore brings it back.' },
    ]
  }
  const verbs: Verb[] = []
  if (attention === 'in_review') {
    verbs.push({
      id: 'approve',
      title: 'Approve',
      effect: 'The result may land. Nothing lands by this alone.',
    })
  }
  const failed = state === 'landing failed'
  if (attention === 'ready_to_land' || failed) {
    const effect = `The result is combined with ${task.target}, its checks run on the combination, and ${task.target} moves if they pass.`
    verbs.push({ id: 'land', title: failed ? 'Land again' : 'Land', effect })
    verbs.push({
      id: 'withdraw',
      title: 'Withdraw approval',
      effect: 'The result waits for a verdict again and cannot land until it is approved anew.',
    })
  }
  if (landed) {
    verbs.push({
      id: 'undo',
      title: 'Undo landing',
      effect: `${task.target} goes back to where it was before this landing, if nothing moved it since; else nothing changes and you are told why. The result stays approved.`,
    })
  }
  if (attention === 'done') {
    verbs.push({
      id: 'archive',
      title: 'Archive',
      effect: archiveEffect,
    })
    if (!landed && state === 'stopped') verbs.push(resume)
  } else {
    const stands = attention === 'needs_you' && !ANSWERED.includes(state)
    if (stands || task.status.until !== null) verbs.push(resume)
    if (!GOING_BACK.includes(state)) {
      verbs.push({
        id: 'stop',
        title: 'Stop',
        effect: 'The agent and all it started end; its work is kept, and Resume goes on.',
      })
    }
  }
  return verbs
}

/** States that an answer, a judgement or another landing ends, and that the daemon does not resume from. */
const ANSWERED = [
  'waiting for permission',
  'waiting for an answer',
  'waiting for judgement',
  'stalled',
  'landing failed',
]
/** States in which nothing is stopped, because something is being brought back. */
const GOING_BACK = ['undoing', 'rolling back']

export const archiveEffect = 'Its workspace is removed after a full snapshot; Restore brings it back.'

const resume: Verb = { id: 'resume', title: 'Resume', effect: 'The agent goes on where it was.' }

/** Does it, says so, and offers the way back where there is one. */
export async function act(handle: string, verb: Verb['id']): Promise<boolean> {
  return toasts.try(async () => {
    await ask(handle, verb)
    said(handle, verb)
  })
}

/** Says that it was done, and offers the way back where there is one. */
export function said(handle: string, verb: Verb['id']): void {
  const title = back[verb]?.title
  const undo = back[verb] && { title: title!, run: () => void act(handle, back[verb]!.verb) }
  toasts.say(`${handle}: ${done[verb]}`, { undo })
}

/** Does the same with several, one after the other in their order; says it once, takes it back as a whole. */
export async function actAll(handles: readonly string[], verb: Verb['id']): Promise<boolean> {
  if (handles.length === 1) return act(handles[0]!, verb)
  const [good, failures]: [string[], string[]] = [[], []]
  if (verb === 'land') {
    const asked = await toasts.try(() => post<TaskView[]>('/v1/landings', { handles }))
    if (!asked) return false
    handles.forEach(followLanding)
    good.push(...handles)
  } else {
    for (const handle of handles) {
      await ask(handle, verb).then(
        () => good.push(handle),
        (error: unknown) =>
          failures.push(`${handle}: ${error instanceof Error ? error.message : String(error)}`),
      )
    }
  }
  if (failures.length > 0) {
    toasts.say(`${failures.length} of ${handles.length} could not be ${plain[verb]}`, {
      hint: failures.join('; '),
      bad: true,
    })
  }
  if (good.length === 0) return false
  const way = back[verb]
  toasts.say(`${count(good.length, 'task')}: ${done[verb]}`, {
    undo: way && { title: `${way.title} ${good.length}`, run: () => void actAll(good, way.verb) },
  })
  return failures.length === 0
}

/** Tells what became of landings that were asked for here. */
export function tellLandings(): void {
  for (const [handle, outcome] of outcomes(live.tasks)) {
    if (outcome.landed) {
      const undo = { title: 'Undo landing', run: () => void act(handle, 'undo') }
      toasts.say(`${handle}: landed on ${outcome.target}`, { undo })
    } else toasts.say(`${handle} did not land`, { hint: outcome.why, bad: true })
  }
}

async function ask(handle: string, verb: Verb['id']): Promise<void> {
  if (verb === 'approve') await review(handle, 'approved')
  else if (verb === 'withdraw') await review(handle, 'withdrawn')
  else await post<TaskView>(path('tasks', handle, verb))
  if (verb === 'land') followLanding(handle)
}

const done: Record<Verb['id'], string> = {
  start: 'started',
  land: 'landing',
  undo: 'the landing is being taken back',
  stop: 'stopped',
  resume: 'goes on',
  archive: 'archived',
  restore: 'restored',
  approve: 'approved',
  withdraw: 'the approval is withdrawn',
}

/** What cannot be done, in a word. */
const plain: Record<Verb['id'], string> = {
  start: 'started',
  land: 'landed',
  undo: 'taken back',
  stop: 'stopped',
  resume: 'resumed',
  archive: 'archived',
  restore: 'restored',
  approve: 'approved',
  withdraw: 'withdrawn',
}

/** What takes a thing back at once. A landing is taken back once it has happened, which is told then. */
const back: Partial<Record<Verb['id'], { title: string; verb: Verb['id'] }>> = {
  archive: { title: 'Restore', verb: 'restore' },
  stop: { title: 'Resume', verb: 'resume' },
  restore: { title: 'Archive', verb: 'archive' },
  approve: { title: 'Withdraw', verb: 'withdraw' },
}

/** Gives a verdict on an attempt's newest result, or on the commit that was looked at. */
export function review(
  handle: string,
  verdict: Verdict,
  commit: string | null = null,
  note = '',
): Promise<TaskView> {
  return post<TaskView>(path('tasks', handle, 'review'), { verdict, commit, note, comments: [] })
}

/** Where a task goes among those that wait for a slot: to the top, before another, to the end. */
export type Place = { first: true } | { before: string } | Record<string, never>

/** Gives a task another place, and offers the one it had. */
export async function move(handle: string, place: Place): Promise<boolean> {
  const had = placeOf(handle)
  return toasts.try(async () => {
    await post<TaskView>(path('tasks', handle, 'move'), place)
    const where =
      'first' in place ? 'to the top' : 'before' in place ? `before ${place.before}` : 'to the end'
    const undo = had && { title: 'Move back', run: () => void move(handle, had) }
    toasts.say(`${handle}: moved ${where}`, { undo })
  })
}

/** The place that a task has now: before the one that stands after it. */
function placeOf(handle: string): Place | undefined {
  const tasks = [...live.tasks.values()].filter((task) => !task.archived)
  const list = byColumn(tasks).get('backlog') ?? []
  const at = list.findIndex((task) => task.handle === handle)
  const [task, after] = [list[at], list[at + 1]]
  if (!task) return undefined
  return after && after.staged === task.staged ? { before: after.handle } : {}
}

/** Answers an inbox item. */
export async function answer(item: ItemView, given: AnswerView): Promise<boolean> {
  return toasts.try(async () => {
    await post<TaskView>(path('inbox', item.handle, 'answer'), given)
    toasts.say(`${item.handle}: answered`)
  })
}

/** How an attempt that stands still is let go on, with another budget or with none where one is given; or ended. */
export type Way = { does: 'resume'; budget?: string | null } | { does: 'stop' }

/** Lets the attempt of an item go on, or ends it. */
export async function goOn({ attempt }: ItemView, way: Way): Promise<boolean> {
  if (way.does === 'stop' || way.budget === undefined) return act(attempt, way.does)
  const { budget } = way
  return toasts.try(async () => {
    await post<TaskView>(path('tasks', attempt, 'budget'), { budget })
    await post<TaskView>(path('tasks', attempt, 'resume'))
    toasts.say(`${attempt}: goes on${budget === null ? ' without a limit' : ', up to what was given'}`)
  })
}

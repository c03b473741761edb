// What the palette offers beside the actions of the screen: places, tasks, and what can be done with each.

import type { TaskSummary } from '../api/protocol'
import { router } from '../router.svelte'
import { act, verbsOf } from '../verbs'
import { leading } from '../words'
import { sections } from './settings/sections'

export interface Choice {
  id: string
  title: string
  note: string
  run: () => void
}

/** Parts of screens that are found from everywhere. */
export function placesElsewhere(): Choice[] {
  const settings = sections.map((one) => ({
    id: `settings.${one.id}`,
    title: `Settings: ${one.title}`,
    path: `/settings/${one.id}`,
  }))
  const archive = { id: 'board.archived', title: 'Show archived tasks', path: '/?archived=yes' }
  return [...settings, archive].map(({ path, ...one }) => ({ ...one, note: '', run: () => router.go(path) }))
}

/** A task, which is gone to. */
export function taskOf(task: TaskSummary): Choice {
  return {
    id: task.handle,
    title: `${task.handle} ${task.title}`,
    note: task.archived ? 'archived' : task.status.state,
    run: () => router.go(`/tasks/${task.handle}`),
  }
}

/** What can be done with a task, each with what happens then. */
export function verbsFor(task: TaskSummary): Choice[] {
  const { handle, title } = task
  const verbs = verbsOf(task).map((verb) => ({
    id: `${handle} ${verb.id}`,
    title: `${verb.title} ${handle} ${title}`,
    note: verb.effect,
    run: () => void act(handle, verb.id),
  }))
  const attempt = leading(task)
  if (!attempt?.result) return verbs
  const run = () => router.go(`/review/${attempt.handle}`)
  return [
    { id: `${handle} review`, title: `Review ${handle} ${title}`, note: 'its newest result', run },
    ...verbs,
  ]
}

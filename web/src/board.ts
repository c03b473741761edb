// What a board shows of the tasks it knows: which, in which column, in which order.

import type { Attention, TaskSummary } from './api/protocol'
import { columns } from './words'

export interface Filter {
  text: string
  /** The root of a project; empty: all. */
  project: string
  archived: boolean
}

/** What the board shows, as the words of its address say it. */
export interface Shown {
  filter: Filter
  grouped: boolean
  /** The one column that a phone shows. */
  column: Attention
}

/** The words of the address when the board was left last. */
export const kept = { search: '' }

export function shownOf(query: URLSearchParams): Shown {
  const column = columns.find((one) => one === query.get('column')) ?? 'needs_you'
  const filter = {
    text: query.get('q') ?? '',
    project: query.get('project') ?? '',
    archived: query.get('archived') === 'yes',
  }
  return { filter, grouped: query.get('group') === 'project', column }
}

/** The handles from one card to another as they stand; only the latter where the first is not among them. */
export function between(cards: readonly TaskSummary[], from: string, to: string): string[] {
  const handles = cards.map((card) => card.handle)
  const [first, last] = [handles.indexOf(from), handles.indexOf(to)].sort((a, b) => a - b)
  return first === undefined || last === undefined || first < 0 ? [to] : handles.slice(first, last + 1)
}

/** Tasks that a filter lets through. Every word must be found in title, handle, agent, state or project. */
export function matching(tasks: Iterable<TaskSummary>, filter: Filter): TaskSummary[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (task: TaskSummary) => {
    if (task.archived !== filter.archived || (filter.project && task.root !== filter.project)) return false
    if (words.length === 0) return true
    const agents = task.attempts.map((attempt) => attempt.agent)
    const hay = [task.title, task.handle, task.project, task.status.state, task.status.reason, ...agents]
      .join(' ')
      .toLowerCase()
    return words.every((word) => hay.includes(word))
  }
  return [...tasks].filter(fits)
}

/** The columns with their tasks. What waits longest for a person comes first; what is done, newest first. */
export function byColumn(tasks: TaskSummary[]): Map<Attention, TaskSummary[]> {
  const found = new Map<Attention, TaskSummary[]>(columns.map((column) => [column, []]))
  for (const task of tasks) found.get(task.status.attention)?.push(task)
  for (const [column, list] of found) {
    const since = (task: TaskSummary) => Date.parse(task.status.since)
    // The daemon's own order: who was moved forward waits as if for longer.
    const waits = (task: TaskSummary) => Date.parse(task.waits_since)
    if (column === 'done') list.sort((a, b) => since(b) - since(a) || b.number - a.number)
    else if (column === 'backlog')
      list.sort((a, b) => Number(a.staged) - Number(b.staged) || waits(a) - waits(b) || a.number - b.number)
    else list.sort((a, b) => since(a) - since(b) || a.number - b.number)
  }
  return found
}

/** How many tasks wait for a person: what the title, the icon and the inbox count. */
export function waiting(tasks: Iterable<TaskSummary>): number {
  let count = 0
  for (const task of tasks) {
    if (!task.archived && (task.status.attention === 'needs_you' || task.status.attention === 'in_review'))
      count++
  }
  return count
}

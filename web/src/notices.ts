// What is worth a notification: which kind it is, what it says, and where it leads.

import type { ItemView, TaskSummary } from './api/protocol'
import { visible } from './visible'

export const kinds = {
  permission: 'A permission is asked for',
  question: 'A question waits for an answer',
  review: 'A result waits for your review',
  stall: 'An agent is stuck',
  landed: 'A result has landed',
  failed: 'A landing failed',
} as const
export type Kind = keyof typeof kinds

export interface Notice {
  /** The same for the same thing, so that it is shown once. */
  id: string
  kind: Kind
  title: string
  /** The task's title: words of the person's own, not of an agent. */
  body: string
  href: string
}

export interface Choices {
  on: boolean
  sound: boolean
  kinds: Record<Kind, boolean>
  /** Hours in which nothing is said, such as 22 and 7; none for always. */
  quiet: { from: number; to: number } | null
}

export const usual: Choices = {
  on: false,
  sound: false,
  kinds: { permission: true, question: true, review: true, stall: true, landed: false, failed: true },
  quiet: null,
}

/** What a task has that is worth a notice. */
export function noticesOf(task: TaskSummary): Notice[] {
  const found = task.items
    .filter((item) => !item.answered && item.ask.kind in asks)
    .map((item) => {
      const kind = kindOf(item)
      const href = kind === 'review' ? `/review/${item.attempt}` : `/tasks/${item.attempt}`
      return {
        id: item.handle,
        kind,
        title: `${item.handle.split('#')[0]}: ${kinds[kind]}`,
        body: visible(task.title),
        href,
      }
    })
  for (const attempt of task.attempts) {
    const { handle, status } = attempt
    const kind = states[status.state]
    if (kind) {
      const id = `${handle} ${kind} ${status.since}`
      found.push({
        id,
        kind,
        title: `${handle}: ${kinds[kind]}`,
        body: visible(task.title),
        href: `/tasks/${handle}`,
      })
    }
  }
  return found
}

const states: Record<string, Kind | undefined> = { landed: 'landed', 'landing failed': 'failed' }

const asks: Record<ItemView['ask']['kind'], Kind> = {
  permission: 'permission',
  question: 'question',
  criterion: 'question',
  review: 'review',
  stall: 'stall',
}

function kindOf(item: ItemView): Kind {
  return asks[item.ask.kind]
}

/** Whether a notice is to be given now. */
export function isWanted(choices: Choices, kind: Kind, hour: number): boolean {
  return choices.on && choices.kinds[kind] && !isQuiet(choices.quiet, hour)
}

/** Whether an hour of the day lies in the quiet ones, which may go over midnight. */
export function isQuiet(quiet: Choices['quiet'], hour: number): boolean {
  if (!quiet || quiet.from === quiet.to) return false
  const { from, to } = quiet
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

/** Choices as they were kept, with the usual ones for what is not there. */
export function readChoices(text: string | null): Choices {
  try {
    const kept = JSON.parse(text ?? '{}') as Partial<Choices> | null
    if (typeof kept !== 'object' || kept === null) return usual
    const hour = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) >= 0 && Number(value) < 24
    const quiet = kept.quiet && hour(kept.quiet.from) && hour(kept.quiet.to) ? kept.quiet : null
    return {
      on: kept.on === true,
      sound: kept.sound === true,
      kinds: Object.fromEntries(
        Object.entries(usual.kinds).map(([kind, on]) => [kind, kept.kinds?.[kind as Kind] ?? on]),
      ) as Choices['kinds'],
      quiet,
    }
  } catch {
    return usual
  }
}

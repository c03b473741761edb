// Words that several screens say, so that they say the same.

import type { AttemptSummary, Attention, CheckState, TaskSummary, UsageView } from './api/protocol'

/** The columns of the board in their order, and what an empty one teaches. */
export const attentions: Record<Attention, { title: string; empty: string }> = {
  backlog: {
    title: 'Backlog',
    empty: 'Nothing waits for a free slot. A task that is staged waits here until you start it.',
  },
  working: { title: 'Working', empty: 'No agent is at work.' },
  needs_you: {
    title: 'Needs you',
    empty: 'Nobody waits for you. Permissions and questions come here, and to the inbox.',
  },
  in_review: { title: 'In review', empty: 'A result comes here once its checks have passed.' },
  ready_to_land: { title: 'Ready to land', empty: 'Approve a result and it waits here to be landed.' },
  done: { title: 'Done', empty: 'What has landed or was stopped comes here; archive it to put it away.' },
}
export const columns = Object.keys(attentions) as Attention[]

export const checkStates: Record<CheckState, { title: string; sign: string }> = {
  holds: { title: 'holds', sign: '✓' },
  fails: { title: 'fails', sign: '✗' },
  stale: { title: 'stale: it ran on an earlier result', sign: '~' },
  unknown: { title: 'not known yet', sign: '·' },
}

/** The attempt that a task's card shows: the one whose state is the task's. */
export function leading(task: TaskSummary): AttemptSummary | undefined {
  const same = (attempt: AttemptSummary) =>
    attempt.status.attention === task.status.attention && attempt.status.state === task.status.state
  return task.attempts.find(same) ?? task.attempts[0]
}

/** What an attempt's turns cost, or used where no price is known; none where nothing is known. */
export function cost(usage: UsageView): string | null {
  if (usage.cost_micros !== null && usage.cost_micros !== undefined) {
    const dollars = usage.cost_micros / 1e6
    const digits = dollars < 1 ? 3 : 2
    return `${usage.cost_at_least ? '≥ ' : usage.estimated ? '≈ ' : ''}$${dollars.toFixed(digits)}`
  }
  const tokens = usage.input + usage.output + usage.cached_read + usage.cached_write
  return tokens > 0 ? `${usage.at_least ? '≥ ' : ''}${short(tokens)} tokens` : null
}

/** What all attempts of a task cost, as far as it is known. */
export function costOf(task: Pick<TaskSummary, 'attempts'>): string | null {
  const all = task.attempts.map((attempt) => attempt.usage)
  const first = all[0]
  if (!first) return null
  const sum = (of: (usage: UsageView) => number) => all.reduce((total, usage) => total + of(usage), 0)
  const priced = all.filter((usage) => usage.cost_micros !== null)
  const used = (usage: UsageView) => usage.input + usage.output + usage.cached_read + usage.cached_write
  const unpriced = all.some((usage) => usage.cost_micros === null && used(usage) > 0)
  return cost({
    ...first,
    input: sum((usage) => usage.input),
    output: sum((usage) => usage.output),
    cached_read: sum((usage) => usage.cached_read),
    cached_write: sum((usage) => usage.cached_write),
    cost_micros: priced.length > 0 ? sum((usage) => usage.cost_micros ?? 0) : null,
    cost_at_least: all.some((usage) => usage.cost_at_least) || unpriced,
    at_least: all.some((usage) => usage.at_least),
    estimated: all.some((usage) => usage.estimated),
  })
}

/** A number in few characters: 950, 1.2k, 3.4M. */
export function short(number: number): string {
  if (number < 1000) return String(number)
  if (number < 999_950) return `${(number / 1000).toFixed(number < 9_950 ? 1 : 0)}k`
  return `${(number / 1e6).toFixed(1)}M`
}

/** `1 file`, `2 files`. */
export function count(number: number, thing: string, things = `${thing}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? thing : things}`
}

/** How long something took or takes, in one unit: `12 s`, `5 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86400)} d`
}

/** A moment in few characters: `20:43` today, `30 Nov 20:43` else, with the year where it is another one. */
export function moment(at: Date, now: Date): string {
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  if (at.toDateString() === now.toDateString()) return time
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const }
  return `${at.toLocaleDateString([], { day: 'numeric', month: 'short', ...year })} ${time}`
}

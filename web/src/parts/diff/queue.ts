// Which result is looked at next.

import type { TaskSummary } from '../../api/protocol'

/** The attempts that wait for a verdict, those first that wait longest. */
export function queue(tasks: Iterable<TaskSummary>): string[] {
  return [...tasks]
    .filter((task) => !task.archived)
    .flatMap((task) => task.attempts)
    .filter((attempt) => attempt.status.attention === 'in_review')
    .sort((a, b) => Date.parse(a.status.since) - Date.parse(b.status.since))
    .map((attempt) => attempt.handle)
}

/** The one after or before this one, around the end; none where there is no other. */
export function beside(waiting: readonly string[], handle: string, by: 1 | -1): string | null {
  const others = waiting.filter((one) => one !== handle)
  if (others.length === 0) return null
  const here = waiting.indexOf(handle)
  if (here < 0) return (by > 0 ? others[0] : others.at(-1)) ?? null
  return waiting[(here + by + waiting.length) % waiting.length] ?? null
}

/** The attempt that a handle means: of several the first that waits for a verdict, or the first. */
export function attemptOf(task: TaskSummary | undefined, handle: string): string {
  if (!task || handle.includes('.') || task.attempts.length < 2) return handle
  const waiting = task.attempts.find((attempt) => attempt.status.attention === 'in_review')
  return (waiting ?? task.attempts[0])?.handle ?? handle
}

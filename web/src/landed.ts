// Landings that were asked for on this page are followed to their end, so that it is told, with the way back, wherever one is then.

import type { TaskSummary } from './api/protocol'

/** What became of a landing. */
export type Outcome = { landed: true; target: string } | { landed: false; why: string }

const followed = new Set<string>()

/** Follows the landing of a task or attempt. */
export function followLanding(handle: string): void {
  followed.add(handle)
}

/** What became of those that are followed, as far as it is known by now; each is told once. */
export function outcomes(tasks: ReadonlyMap<string, TaskSummary>): [string, Outcome][] {
  const found: [string, Outcome][] = []
  for (const handle of followed) {
    const task = tasks.get(handle.split('.')[0] ?? handle)
    const outcome = task && outcomeOf(task, handle)
    if (!outcome) continue
    followed.delete(handle)
    found.push([handle, outcome])
  }
  return found
}

/** Until the page hears that it lands it is approved or about to be; any other state says that it did not land, and why. */
function outcomeOf(task: TaskSummary, handle: string): Outcome | undefined {
  const attempts = handle.includes('.') ? task.attempts.filter((one) => one.handle === handle) : task.attempts
  if (attempts.some((one) => one.landed)) return { landed: true, target: task.target }
  const states = attempts.map((one) => one.status)
  const waits = states.some(
    ({ attention, state }) =>
      attention === 'ready_to_land' || attention === 'in_review' || state === 'landing',
  )
  return waits ? undefined : { landed: false, why: task.status.reason || task.status.state }
}

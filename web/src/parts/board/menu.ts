// The menu of a card: where it leads, what can be done with its task, and which place it can be given.

import type { TaskSummary } from '../../api/protocol'
import type { MenuItem } from '../../controls/Menu.svelte'
import { act, move, verbsOf } from '../../verbs'
import { leading } from '../../words'

/** `above` is the card that stands before it in the same column. */
export function menuOf(task: TaskSummary, above?: TaskSummary): MenuItem[] {
  const attempt = leading(task)
  const { handle } = task
  const items: MenuItem[] = [
    task.staged
      ? { title: 'Change', href: `/new?edit=${handle}` }
      : { title: 'Open', href: `/tasks/${handle}` },
  ]
  if (attempt?.result) items.push({ title: 'Look at the change', href: `/review/${attempt.handle}` })
  for (const verb of verbsOf(task)) {
    items.push({ title: verb.title, note: verb.effect, run: () => void act(handle, verb.id) })
  }
  if (task.status.attention !== 'backlog') return items
  items.push({ title: 'Move to the top', run: () => void move(handle, { first: true }) })
  if (above) {
    const before = above.handle
    items.push({ title: `Move before ${before}`, run: () => void move(handle, { before }) })
  }
  items.push({ title: 'Move to the end', run: () => void move(handle, {}) })
  return items
}

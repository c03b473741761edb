// The time line of an attempt's snapshots, and what going back to one does.

import type { AttemptView, WorkspaceSnapshotView } from '../../api/protocol'

/** What a snapshot is called. */
export function nameOf(snapshot: WorkspaceSnapshotView): string {
  switch (snapshot.moment) {
    case 'base':
      return 'The base'
    case 'turn':
      return `After turn ${snapshot.turn}`
    case 'before_rollback':
      return 'Before a rollback'
  }
}

/** Why nothing can be brought back now; none where it can. */
export function rollbackRefusal(attempt: AttemptView, archived: boolean): string | null {
  if (archived) return 'The task is archived; restore it first.'
  if (!attempt.workspace) return 'There is no workspace yet.'
  const last = attempt.turns.at(-1)
  if (last && last.ended === null)
    return 'The agent is in a turn and writes the files; cancel the turn first.'
  const busy = ['preparing', 'working', 'checking', 'landing', 'landed', 'undoing', 'rolling back']
  return busy.includes(attempt.status.state) ? `Not while it is ${attempt.status.state}.` : null
}

/** What happens if one goes back, in words. */
export function rollbackEffect(snapshot: WorkspaceSnapshotView, paths: readonly string[]): string {
  const what =
    paths.length === 0
      ? 'All recorded files'
      : paths.length === 1
        ? 'This file'
        : `These ${paths.length} files`
  const then = snapshot.moment === 'base' ? 'in the beginning' : nameOf(snapshot).toLowerCase()
  return `${what} will be as they were ${then}. What is there now is kept in a snapshot first, so this can be undone; ignored files stay. The result is then made and checked anew.`
}

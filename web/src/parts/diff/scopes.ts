// What can be compared in an attempt, as the menu names it.

import type { AttemptView, CommitView } from '../../api/protocol'
import type { Scope } from './diff.svelte'

export interface NamedScope extends Scope {
  id: string
  title: string
}

export const RESULT: NamedScope = { id: 'result', title: 'Against its base', scope: 'result' }

export function scopesOf(
  attempt: AttemptView,
  commits: readonly CommitView[],
  attempts: readonly AttemptView[] = [],
): NamedScope[] {
  const scopes: NamedScope[] = [RESULT]
  const seen = attempt.reviews.at(-1)
  if (seen && seen.commit !== attempt.result?.commit)
    scopes.push({ id: 'review', title: 'Since my last review', scope: 'review' })
  if (attempt.workspace) scopes.push({ id: 'live', title: 'The files as they are now', scope: 'live' })
  const turns = attempt.turns.filter((turn) => turn.snapshot)
  if (turns.length > 1 || attempt.result === null)
    for (const { number } of turns)
      scopes.push({ id: `turn-${number}`, title: `Turn ${number}`, scope: 'turn', turn: number })
  const results = attempt.results
  for (const [index, later] of results.entries()) {
    const earlier = results[index - 1]
    if (!earlier || earlier.commit === later.commit) continue
    const title = `From the result of turn ${earlier.turn} to that of turn ${later.turn}`
    const [from, to] = [`result-${earlier.turn}`, `result-${later.turn}`]
    scopes.push({ id: `${from}..${to}`, title, scope: 'between', from, to })
  }
  for (const { handle, agent, result } of attempts)
    if (result && attempt.result && handle !== attempt.handle)
      scopes.push({
        id: handle,
        title: `Against ${handle} by ${agent}`,
        scope: 'between',
        from: result.commit,
        to: attempt.result.commit,
      })
  for (const { commit, parent, subject } of commits)
    if (parent)
      scopes.push({
        id: commit,
        title: `Commit ${commit.slice(0, 8)} ${subject}`,
        scope: 'between',
        from: parent,
        to: commit,
      })
  return scopes
}

// Numbers that compare attempts.

import type { AttemptView, CheckState } from '../../api/protocol'
import { duration } from '../../words'

/** How long an attempt's agent was at work, all turns together. */
export function worked(attempt: Pick<AttemptView, 'turns'>, now = Date.now()): string {
  const of = (turn: AttemptView['turns'][number]) =>
    (turn.ended ? Date.parse(turn.ended) : now) - Date.parse(turn.started)
  return duration(attempt.turns.reduce((sum, turn) => sum + of(turn), 0))
}

/** A gate or criterion, and how it stands for each attempt; none where an attempt has no such check. */
export interface Proven {
  name: string
  title: string
  states: (CheckState | null)[]
}

/** Every gate by its name and every criterion by its words, so that attempts can be held beside each other. */
export function checksOf(attempts: readonly Pick<AttemptView, 'checks' | 'criteria'>[]): Proven[] {
  const rows = new Map<string, Proven>()
  const add = (name: string, title: string, index: number, state: CheckState) => {
    const row = rows.get(name) ?? { name, title, states: attempts.map(() => null) }
    row.states[index] = state
    rows.set(name, row)
  }
  for (const [index, { checks, criteria }] of attempts.entries()) {
    for (const one of criteria) add(`criterion ${one.number}`, one.text, index, one.state)
    for (const one of checks)
      if (!/^criterion \d+$/.test(one.name)) add(`gate ${one.name}`, one.name, index, one.state)
  }
  return [...rows.values()]
}

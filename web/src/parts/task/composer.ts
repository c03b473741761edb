// What can be said to an agent now, and what each way of saying it does.

import type { AttemptView, Delivery } from '../../api/protocol'

export interface Way {
  delivery: Delivery
  title: string
  /** What happens, in a sentence. */
  effect: string
}

/** The ways of a running turn, the mildest first. */
export const ways: Way[] = [
  { delivery: 'queue', title: 'Queue', effect: 'Waits until the turn is over, then is its own turn.' },
  {
    delivery: 'steer',
    title: 'Steer',
    effect:
      'Goes into the running turn at its next safe moment where the agent can; otherwise right after it.',
  },
  {
    delivery: 'interrupt',
    title: 'Interrupt',
    effect: 'Cancels the running turn now and begins with these words.',
  },
]

/** Whether a turn runs, so that there is a choice. */
export function inTurn(attempt: AttemptView): boolean {
  const last = attempt.turns.at(-1)
  return last !== undefined && last.ended === null
}

/** What happens to words that are sent while no turn runs. */
export function idleEffect(attempt: AttemptView): string {
  if (attempt.status.attention === 'in_review' || attempt.status.attention === 'ready_to_land')
    return 'Begins another turn; the result is then made, checked and reviewed anew.'
  if (attempt.queue.length > 0) return 'Waits with what is queued for the next turn.'
  return attempt.turns.length === 0 ? 'Goes to the agent with the task.' : 'Begins the next turn.'
}

/** Why no words can be sent now, with what helps; none where they can. */
export function refusal(attempt: AttemptView, archived: boolean): string | null {
  if (archived) return 'The task is archived. Restore it to go on.'
  switch (attempt.status.state) {
    case 'landed':
      return 'It has landed. Undo the landing, or give out another task.'
    case 'landing':
      return 'It is landing. Words can be sent if that fails.'
    case 'undoing':
      return 'Its landing is being taken back.'
    case 'rolling back':
      return 'Its files are being brought back; that takes a moment.'
    default:
      return null
  }
}

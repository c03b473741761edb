// What a verdict would do, in a sentence, before it is given.

import type { AttemptView, CheckState } from '../../api/protocol'
import { count } from '../../words'

export interface Verdicts {
  /** The one sentence below the buttons. */
  effect: string
  approve: boolean
  request: boolean
  land: boolean
  /** An approval can be taken back. */
  withdraw: boolean
  undo: boolean
  /** Something waits for the person's judgement first. */
  judge: boolean
  /** Comments that the next request for changes sends. */
  pending: number
}

export function verdicts(attempt: AttemptView, target: string): Verdicts {
  const pending = attempt.comments.filter((comment) => comment.pending).length
  const { attention, state } = attempt.status
  const reviewable = attention === 'in_review'
  const ready = attention === 'ready_to_land'
  const landed = attempt.landing !== null
  const waits = state === 'waiting for judgement'
  const open = attempt.criteria.filter((one) => one.command === null && one.state !== 'holds').length
  const sentence = () => {
    if (landed) {
      return `It is on ${target}. Undo moves ${target} back to where it was before this landing, if nothing moved it since.`
    }
    if (ready) {
      return `If you land it: it is combined with ${target}, its checks run on the combination, and ${target} moves if they pass.`
    }
    if (waits)
      return `${count(open, 'criterion', 'criteria')} must be judged by a person before it can be approved: beside the change, under Criteria.`
    if (reviewable) {
      const drafts = pending > 0 ? ` Your ${count(pending, 'draft')} would stay unsent.` : ''
      return `If you approve: the result may land on ${target}; nothing lands by this alone.${drafts}`
    }
    return `It is ${state}. ${attempt.status.reason ? `${attempt.status.reason}.` : ''}`
  }
  return {
    effect: sentence(),
    approve: reviewable && !waits,
    request: (reviewable || ready || attention === 'needs_you') && attempt.result !== null && !landed,
    land: ready && !landed,
    withdraw: (ready || state === 'landing failed') && !landed,
    undo: landed,
    judge: waits,
    pending,
  }
}

/** Which of several states is worth telling first. */
export function worst(states: readonly CheckState[]): CheckState | null {
  const order: CheckState[] = ['fails', 'stale', 'unknown', 'holds']
  return order.find((state) => states.includes(state)) ?? null
}

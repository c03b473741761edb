// What an inbox item is called, what can be answered, and what each answer does.

import type { AnswerView, Effect, ItemView } from '../api/protocol'
import type { Way } from '../verbs'

/** What a choice does: it answers, or lets the attempt go on or ends it. */
export type Deed = { answer: AnswerView } | { way: Way }

export type Choice = {
  title: string
  effect: string
  kind: 'primary' | 'plain' | 'danger'
  /** A no: words that say why can go with it, or have to. */
  why?: 'may' | 'must'
} & Deed

/** The groups of the inbox, by what an answer lets happen; the riskiest first. */
export const groups = [
  { id: 'deletes', title: 'Wants to delete or move files' },
  { id: 'runs', title: 'Wants to run a command' },
  { id: 'network', title: 'Wants to use the network' },
  { id: 'changes', title: 'Wants to change files' },
  { id: 'other', title: 'Wants to use another tool' },
  { id: 'reads', title: 'Wants to read' },
  { id: 'question', title: 'An agent asks' },
  { id: 'criterion', title: 'Does this hold?' },
  { id: 'review', title: 'Proven, waiting for review' },
  { id: 'stall', title: 'Cannot go on alone' },
] as const

export type Group = (typeof groups)[number]['id']

/** The group that an item belongs to. A tool of an unknown kind is not taken for a harmless one. */
export function groupOf({ ask }: ItemView): Group {
  return ask.kind === 'permission' ? (reach[ask.tool] ?? 'other') : ask.kind
}

const reach: Record<string, Group> = {
  delete: 'deletes',
  move: 'deletes',
  execute: 'runs',
  fetch: 'network',
  edit: 'changes',
  read: 'reads',
  search: 'reads',
  think: 'reads',
}

export function titleOf(item: ItemView): string {
  switch (item.ask.kind) {
    case 'permission':
      return `Permission to ${tools[item.ask.tool] ?? 'use a tool'}`
    case 'question':
      return 'Question'
    case 'criterion':
      return 'Criterion to judge'
    case 'review':
      return 'Review'
    case 'stall':
      return 'Cannot go on'
  }
}

const tools: Record<string, string> = {
  read: 'read',
  edit: 'edit',
  delete: 'delete',
  move: 'move files',
  search: 'search',
  execute: 'run a command',
  fetch: 'use the network',
  switch_mode: 'change its mode',
}

const effects: Record<Effect, string> = {
  allow_once: 'It does this now; it asks again next time.',
  allow_always: 'It does this and what is like it, without asking again.',
  deny_once: 'It does not do this, and goes on otherwise.',
  deny_always: 'It does not do this or what is like it, and is not asked about it again.',
  other: 'The agent gets this answer.',
}

/** What can be answered by one key, in a steady order: yes before no, once before always. */
export function answersOf(item: ItemView): Choice[] {
  const ask = item.ask
  if (ask.kind === 'criterion') {
    return [
      {
        title: 'It holds',
        effect: 'The criterion counts as proven for this result.',
        kind: 'primary',
        answer: { answer: 'approved', always: false },
      },
      {
        title: 'It does not hold',
        effect: 'The attempt goes back to its agent, with your words on what is missing.',
        kind: 'danger',
        why: 'must',
        answer: { answer: 'denied', reason: '' },
      },
    ]
  }
  if (ask.kind === 'stall') return waysOf(item)
  if (ask.kind !== 'permission' && ask.kind !== 'question') return []
  const choices = [...ask.options].sort((a, b) => order.indexOf(a.effect) - order.indexOf(b.effect))
  const offered = choices.map((option) => ({
    title: option.name,
    effect: effects[option.effect],
    kind:
      option.effect === 'allow_once'
        ? ('primary' as const)
        : option.effect.startsWith('deny')
          ? ('danger' as const)
          : ('plain' as const),
    ...(ask.kind === 'permission' && option.effect.startsWith('deny') ? { why: 'may' as const } : {}),
    answer: { answer: 'chosen' as const, option: option.id },
  }))
  if (ask.kind === 'permission' && offered.length === 0) {
    return [
      {
        title: 'Allow',
        effect: effects.allow_once,
        kind: 'primary',
        answer: { answer: 'approved', always: false },
      },
      {
        title: 'Deny',
        effect: effects.deny_once,
        kind: 'danger',
        why: 'may',
        answer: { answer: 'denied', reason: '' },
      },
    ]
  }
  return offered
}

/** How an attempt that stands still goes on, or ends. */
function waysOf({ held }: ItemView): Choice[] {
  if (!held) return []
  const stop: Choice = {
    title: 'Stop',
    effect: 'The agent and all it started end; its work is kept.',
    kind: 'danger',
    way: { does: 'stop' },
  }
  if (held.budget === null) {
    const effect = 'The agent goes on where it was.'
    return [{ title: 'Resume', effect, kind: 'plain', way: { does: 'resume' } }, stop]
  }
  const unlimited: Choice = {
    title: 'Go on without a limit',
    effect: 'It may use as much as it takes, and is not asked about it again.',
    kind: 'plain',
    way: { does: 'resume', budget: null },
  }
  if (held.again === null) return [unlimited, stop]
  const effect = 'It may use this much in all, which is as much again, and asks when that is used up.'
  const again: Choice = {
    title: `Raise to ${held.again}`,
    effect,
    kind: 'primary',
    way: { does: 'resume', budget: held.again },
  }
  return [again, unlimited, stop]
}

const order: Effect[] = ['allow_once', 'allow_always', 'other', 'deny_once', 'deny_always']

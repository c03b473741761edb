// A task that is being written: what it holds, how it becomes a request, and how a pasted list becomes several.

import type { ImageView, NewTask, Permissions, TaskView } from './api/protocol'
import { named } from './images'

export interface Criterion {
  text: string
  /** The command that proves it; empty: a person judges. */
  command: string
  by: 'command' | 'person'
}

export interface Draft {
  root: string
  prompt: string
  /** Stored already; each task of a list gets all of them. */
  images: ImageView[]
  title: string
  criteria: Criterion[]
  /** Attempts by each agent; an empty list takes the first that is ready. */
  agents: Record<string, number>
  base: string
  /** One pattern a line. */
  scope: string
  budget: string
  permissions: Permissions | ''
  rounds: string
  /** The prompt is a list, and each of its items a task. */
  several: boolean
}

export const empty: Draft = {
  root: '',
  prompt: '',
  images: [],
  title: '',
  criteria: [],
  agents: {},
  base: '',
  scope: '',
  budget: '',
  permissions: '',
  rounds: '',
  several: false,
}

const STORED = 'divisi.draft'

/** What was being written when the page was left; the fields of an older version are passed over. */
export function load(): Draft {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '{}')
    if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return { ...empty }
    const fields = Object.entries(stored).filter(
      ([key, value]) =>
        key in empty &&
        typeof value === typeof empty[key as keyof Draft] &&
        Array.isArray(value) === Array.isArray(empty[key as keyof Draft]),
    )
    return { ...empty, ...Object.fromEntries(fields) }
  } catch {
    return { ...empty }
  }
}

export function keep(draft: Draft): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(draft))
  } catch {
    // Without storage the draft lives as long as the page.
  }
}

export function forget(): void {
  try {
    localStorage.removeItem(STORED)
  } catch {
    // Nothing was kept.
  }
}

/** The draft of a staged task, to change it. */
export function draftOf(task: TaskView): Draft {
  const agents: Record<string, number> = {}
  for (const agent of task.agents) agents[agent] = (agents[agent] ?? 0) + 1
  return {
    ...empty,
    root: task.project.root,
    prompt: task.prompt,
    images: task.images,
    title: task.title,
    criteria: task.criteria.map((one) => ({
      text: one.text,
      command: one.command ?? '',
      by: one.command === null ? 'person' : 'command',
    })),
    agents,
    base: task.asked.base ?? '',
    scope: task.scope.join('\n'),
    budget: task.budget ?? '',
    permissions: task.asked.permissions ?? '',
    rounds: task.asked.rounds === null ? '' : String(task.asked.rounds),
  }
}

/** The prompts that a draft gives out: one, or each item of its list. */
export function prompts(draft: Pick<Draft, 'prompt' | 'several'>): string[] {
  return draft.several ? split(draft.prompt) : draft.prompt.trim() ? [draft.prompt] : []
}

const ITEM = /^(?:[-*+•]|\d+[.)])\s+(?:\[[ xX]\]\s+)?/

/**
 * The items of a pasted list. Where there are bullets or numbers, each begins a task and indented lines below belong to
 * it; else each line is one. Headings and empty lines are none.
 */
export function split(text: string): string[] {
  const lines = text.replaceAll('\r', '').split('\n')
  const bulleted = lines.some((line) => ITEM.test(line))
  const items: string[] = []
  for (const line of lines) {
    const trimmed = line.trim()
    if (trimmed === '' || (!bulleted && trimmed.startsWith('#'))) continue
    if (!bulleted) items.push(trimmed)
    else if (ITEM.test(line)) items.push(line.replace(ITEM, '').trim())
    else if (/^\s/.test(line) && items.length > 0) items[items.length - 1] += `\n${trimmed}`
  }
  return items.filter(Boolean)
}

/** A list of these items, which `split` reads again. */
export function listOf(items: string[]): string {
  return items.map((item) => `- ${item.replaceAll('\n', '\n  ')}`).join('\n')
}

/** Whether a pasted text looks like a list of tasks. */
export function looksLikeList(text: string): boolean {
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.length > 1 && lines.filter((line) => ITEM.test(line)).length > 1
}

/** What is asked of the daemon for one prompt. */
export function request(draft: Draft, prompt: string, stage: boolean): NewTask {
  const agents = Object.entries(draft.agents).flatMap(([agent, times]) => Array<string>(times).fill(agent))
  const criteria = draft.criteria.filter((one) => one.text.trim() !== '' || one.command.trim() !== '')
  const rounds = draft.rounds.trim() === '' ? null : Number(draft.rounds)
  return {
    root: draft.root,
    prompt,
    images: named(draft.images),
    title: draft.several || draft.title.trim() === '' ? null : draft.title.trim(),
    criteria: criteria.map((one) => ({
      text: one.text.trim() || one.command.trim(),
      command: one.by === 'command' && one.command.trim() !== '' ? one.command.trim() : null,
    })),
    checks: [],
    agents,
    attempts: 1,
    base: draft.base.trim() || null,
    permissions: draft.permissions || null,
    rounds,
    scope: draft.scope
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
    budget: draft.budget.trim() || null,
    stage,
  }
}

/** What stops a draft from being given out, in a sentence; none where nothing does. */
export function missing(draft: Draft): string | null {
  if (!draft.root) return 'Choose a project.'
  if (prompts(draft).length === 0)
    return draft.several ? 'Paste a list: each line or item is a task.' : 'Say what is wanted.'
  const bare = draft.criteria.find((one) => one.by === 'command' && !one.command.trim() && one.text.trim())
  if (bare) return `Say which command proves “${bare.text.trim()}”, or let a person judge it.`
  const rounds = Number(draft.rounds)
  if (draft.rounds.trim() !== '' && (!Number.isInteger(rounds) || rounds < 0 || rounds > 65535))
    return 'The rounds are a whole number.'
  if (draft.budget.trim() !== '' && !/^\$?\d+(\.\d+)?([kKM]( ?tokens)?| ?tokens)?$/.test(draft.budget.trim()))
    return 'The budget is written 2.50 for dollars, or 200k for tokens.'
  return null
}

/** The `@path` that is being written at the caret, if one is. */
export function mention(text: string, caret: number): { from: number; query: string } | null {
  const before = text.slice(0, caret)
  const found = /(^|[\s(])@([\w./-]*)$/.exec(before)
  return found ? { from: caret - found[2]!.length - 1, query: found[2]! } : null
}

/** Every `@path` in a text. */
export function mentions(text: string): string[] {
  return [...new Set([...text.matchAll(/(?:^|[\s(])@([\w./-]*[\w/-])/g)].map((found) => found[1]!))]
}

// What the entries of a transcript become on the screen.

import type {
  Answered,
  Origin,
  ToolCall,
  ToolKind,
  TranscriptEntryView,
  TurnOutcome,
} from '../../api/protocol'

export type EntryOf<Kind extends TranscriptEntryView['entry']> = Extract<TranscriptEntryView, { entry: Kind }>

/** What names an entry, also where more is asked for. */
export const keyOf = (entry: TranscriptEntryView) => `${entry.session}.${entry.seq}`

/** The entry that the end of an address names, as in `#entry-2.15`. */
export const entryIn = (hash: string): string | null => /^#entry-(\d+\.\d+)$/.exec(hash)?.[1] ?? null

const isBefore = (a: TranscriptEntryView, b: TranscriptEntryView) =>
  a.session < b.session || (a.session === b.session && a.seq < b.seq)

/** Entries with those that are new or changed; what stands above the first that is loaded is left for later. */
export function merge(
  entries: readonly TranscriptEntryView[],
  found: readonly TranscriptEntryView[],
  more: boolean,
): TranscriptEntryView[] {
  const merged = [...entries]
  for (const entry of found) {
    let at = merged.length
    while (at > 0 && isBefore(entry, merged[at - 1]!)) at--
    const known = merged[at - 1]
    if (known && known.session === entry.session && known.seq === entry.seq) merged[at - 1] = entry
    else if (at > 0 || !more) merged.splice(at, 0, entry)
  }
  return merged
}

/** Those that say something to a person. */
export function isShown(entry: TranscriptEntryView): boolean {
  switch (entry.entry) {
    case 'usage':
    case 'answered':
      return false
    case 'message':
    case 'thought':
      return entry.text.text.trim() !== ''
    default:
      return true
  }
}

/** The answers to requests and questions, by request. */
export function answersIn(entries: readonly TranscriptEntryView[]): Map<string, Answered> {
  const found = new Map<string, Answered>()
  for (const entry of entries) {
    if (entry.entry === 'answered') found.set(`${entry.session}.${entry.request}`, entry.answer)
  }
  return found
}

/** How a request ended, in words; none while it waits. */
export function answerWords(
  entry: EntryOf<'permission_request'> | EntryOf<'question'>,
  answers: Map<string, Answered>,
): string | null {
  const answer = answers.get(`${entry.session}.${entry.request}`)
  if (!answer) return null
  if (answer.how === 'words') return answer.text.text
  if (answer.how === 'declined') return 'declined'
  if (answer.how === 'withdrawn') return 'no longer asked'
  return entry.options.find((option) => option.id === answer.option)?.name ?? answer.option
}

export const origins: Record<Origin, string> = {
  task: 'The task',
  person: 'You',
  check: 'Failed checks',
  review: 'Review',
  conflict: 'Conflict',
  limit: 'After the limit',
  scope: 'Outside of the scope',
}

export const toolWords: Record<ToolKind, string> = {
  read: 'Read',
  edit: 'Edit',
  delete: 'Delete',
  move: 'Move',
  search: 'Search',
  execute: 'Run',
  think: 'Think',
  fetch: 'Fetch',
  switch_mode: 'Mode',
  other: 'Tool',
}

/** The command of a call that runs one, where it says more than its title. */
export function commandOf(call: Pick<ToolCall, 'kind' | 'title' | 'input'>): string {
  if (call.kind !== 'execute' || !call.input) return ''
  let command = call.input.text
  try {
    const input: unknown = JSON.parse(command)
    if (typeof input === 'object' && input !== null && 'command' in input) {
      command = Array.isArray(input.command) ? input.command.join(' ') : String(input.command)
    }
  } catch {
    // It is the command itself.
  }
  return call.title.includes(command) ? '' : command
}

/** A path as people say it: from the top of the workspace, where it lies in it. */
export function shortPath(path: string, root: string | undefined): string {
  return root && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}

/** How a tool call stands: a sign, and the word that is read aloud. */
export function toolState(call: Pick<ToolCall, 'status'>): { sign: string; word: string } {
  switch (call.status) {
    case 'pending':
      return { sign: '○', word: 'waiting' }
    case 'in_progress':
      return { sign: '◐', word: 'running' }
    case 'completed':
      return { sign: '✓', word: 'done' }
    case 'failed':
      return { sign: '✗', word: 'failed' }
  }
}

/** How a turn ended, in words. */
export function outcomeWords(outcome: TurnOutcome): string {
  switch (outcome.outcome) {
    case 'completed':
      return 'the agent is done'
    case 'cancelled':
      return 'cancelled'
    case 'refused':
      return 'the model refused'
    case 'denied':
      return 'ended over a denied permission'
    case 'no_progress':
      return 'the agent did nothing'
    default:
      return `${outcome.outcome.replaceAll('_', ' ')}: ${outcome.text}`
  }
}

/** One line of a small diff. */
export interface ChangedLine {
  side: 'context' | 'added' | 'removed'
  text: string
}

/** What a tool call changed in a file: what is the same at both ends is cut to a few lines. */
export function changedLines(old: string | undefined, now: string, context = 2): ChangedLine[] {
  const before = old === undefined || old === '' ? [] : old.replace(/\n$/, '').split('\n')
  const after = now === '' ? [] : now.replace(/\n$/, '').split('\n')
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++
  const line = (side: ChangedLine['side']) => (text: string) => ({ side, text })
  return [
    ...before.slice(Math.max(0, head - context), head).map(line('context')),
    ...before.slice(head, before.length - tail).map(line('removed')),
    ...after.slice(head, after.length - tail).map(line('added')),
    ...before.slice(before.length - tail, before.length - tail + context).map(line('context')),
  ]
}

// One line for an entry of a transcript.

import type { TranscriptEntryView } from '../api/protocol'

export interface TailLine {
  key: string
  kind: string
  sign: string
  text: string
}

/** What an entry says in a line; none for those that say nothing to a person. */
export function lineOf(entry: TranscriptEntryView): TailLine | null {
  const line = (sign: string, text: string) => {
    const last = text.trimEnd().split('\n').at(-1)?.trim() ?? ''
    return last
      ? { key: `${entry.session}.${entry.seq}`, kind: entry.entry, sign, text: last.slice(0, 200) }
      : null
  }
  switch (entry.entry) {
    case 'prompt':
      return line('»', entry.text.text)
    case 'message':
    case 'thought':
      return line(entry.entry === 'message' ? '·' : '~', entry.text.text)
    case 'tool_call':
      return line(entry.status === 'completed' ? '✓' : entry.status === 'failed' ? '✗' : '▸', entry.title)
    case 'permission_request':
      return line('?', entry.title)
    case 'question':
      return line('?', entry.text.text)
    case 'notice':
      return line('!', entry.text.text)
    case 'turn_ended':
      return line('—', `turn ended: ${entry.outcome.outcome.replaceAll('_', ' ')}`)
    default:
      return null
  }
}

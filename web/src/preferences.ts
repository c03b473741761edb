// What the file of the dashboard says and what is written into it, as pure words: a part that is not there is as usual, and what
// nobody here knows is left as it is.

import type { Part } from './kept'
import { readKeys } from './keymap'
import { readLook, type Chosen } from './look.svelte'
import { readChoices, type Choices } from './notices'

export interface Preferences {
  look: Chosen | null
  keys: Record<string, string[]> | null
  /** Whether this browser shows notifications at all is not in it. */
  notifications: Choices | null
}

/** What a text says; none where it cannot be read. */
export function readFile(text: string): Preferences | null {
  const file = objectOf(text)
  if (!file) return null
  const part = (name: Part) => (name in file ? JSON.stringify(file[name]) : null)
  const [look, notifications] = [part('look'), part('notifications')]
  return {
    look: look === null ? null : readLook(look),
    keys: 'keys' in file ? readKeys(file.keys) : null,
    notifications: notifications === null ? null : readChoices(notifications),
  }
}

/** The text with a part replaced. */
export function withPart(text: string, part: Part, value: unknown): string {
  return `${JSON.stringify({ ...objectOf(text), [part]: value }, null, 2)}\n`
}

/** As much of the choices as belongs to the person rather than to one browser. */
export function shared({ sound, kinds, quiet }: Choices): object {
  return { sound, kinds, quiet }
}

function objectOf(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}

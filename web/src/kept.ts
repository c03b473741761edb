// What the person chose lies in a file of theirs, which the daemon serves. Whoever changes something says so here; the part
// that keeps it is loaded later, since nothing of the first sight needs it. What is not in the file yet is remembered, so that
// a page that is left at once loses nothing.

export const parts = ['look', 'keys', 'notifications'] as const
export type Part = (typeof parts)[number]

const STORED = 'divisi.unsaved'
const unsaved = new Map<Part, number>(read().map((part) => [part, 0]))
let hear: (() => void) | null = null

/** A person chose something; the storage of the browser has it already. */
export function chose(part: Part): void {
  unsaved.set(part, (unsaved.get(part) ?? 0) + 1)
  store()
  hear?.()
}

/** What is not in the file yet, each with how often it was chosen since. */
export function unsavedParts(): [Part, number][] {
  return [...unsaved]
}

export function isUnsaved(part: Part): boolean {
  return unsaved.has(part)
}

/** A part is in the file, as it was when it had been chosen so often; what was chosen after that is not. */
export function isSaved(part: Part, times: number): void {
  if (unsaved.get(part) === times) unsaved.delete(part)
  store()
}

/** Hears that something was chosen, also where that was before. */
export function hearChoices(listener: () => void): void {
  hear = listener
  if (unsaved.size > 0) listener()
}

function store(): void {
  try {
    localStorage.setItem(STORED, JSON.stringify([...unsaved.keys()]))
  } catch {
    // Without storage it is known until the page is closed.
  }
}

function read(): Part[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '[]')
    return Array.isArray(stored) ? parts.filter((part) => stored.includes(part)) : []
  } catch {
    return []
  }
}

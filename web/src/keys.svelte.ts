// Everything a person can do on the screen they see, each with a name and keys. The palette and the help sheet are made of
// this list, so nothing has keys that are not written down.

import { untrack } from 'svelte'

import { chose } from './kept'
import { readKeys } from './keymap'

export interface Action {
  /** Names it in the settings: `review.approve`. */
  id: string
  /** What it does, as the palette shows it. */
  title: string
  /** Where the help sheet lists it: `Everywhere`, `Board`, … */
  group: string
  /** Keys as `mod+k`, `shift+j`, `g b` (one after the other) or `?`. */
  keys: string[]
  run: () => void
  /** Also while words are being typed, as `mod+enter`. */
  typing?: boolean
  /** In the help sheet and by keys, but not in the palette. */
  hidden?: boolean
}

/** What is kept of an action, so that it can be given other keys where it cannot be done. */
export type Known = Pick<Action, 'id' | 'title' | 'group' | 'keys'>

const STORED = 'divisi.keys'
const KNOWN = 'divisi.actions'
/** The second key of a pair must follow within this time. */
export const PAIR_MS = 1200

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

class Keys {
  private sets = $state.raw<readonly (readonly Action[])[]>([])
  private remapped = $state.raw<Record<string, string[]>>(load())
  /** Every action that could ever be done in this browser, with its own keys. */
  private seen = $state.raw<readonly Known[]>(loadKnown())
  private pending: { key: string; at: number } | null = null
  /** While a dialog is open only its own keys count. */
  blocked = 0

  /** All actions that can be done now; of one id the one registered last. */
  readonly actions: Action[] = $derived.by(() => {
    const byId = new Map<string, Action>()
    for (const action of this.sets.flat()) byId.set(action.id, { ...action, keys: this.keysOf(action) })
    return [...byId.values()]
  })

  /** Every action of every screen that was opened, with the keys it has now. */
  readonly known: Known[] = $derived(
    this.seen.map((action) => ({ ...action, keys: this.remapped[action.id] ?? action.keys })),
  )

  /** Adds actions until the result is called; meant for `$effect(() => keys.use([...]))`. */
  use(actions: readonly Action[]): () => void {
    // The effect that adds them must not run again when others are added.
    untrack(() => {
      this.sets = [...this.sets, actions]
      this.remember(actions)
    })
    return () => untrack(() => (this.sets = this.sets.filter((set) => set !== actions)))
  }

  private remember(actions: readonly Action[]): void {
    const fresh = actions.map(({ id, title, group, keys }) => ({ id, title, group, keys }))
    const ids = new Set(fresh.map((action) => action.id))
    const all = [...this.seen.filter((action) => !ids.has(action.id)), ...fresh]
    all.sort((a, b) => a.group.localeCompare(b.group) || a.id.localeCompare(b.id))
    const text = JSON.stringify(all)
    if (text === JSON.stringify(this.seen)) return
    this.seen = all
    try {
      localStorage.setItem(KNOWN, text)
    } catch {
      // Without storage they are known until the page is closed.
    }
  }

  keysOf(action: Action): string[] {
    return this.remapped[action.id] ?? action.keys
  }

  /** The keys that a person gave, by the name of the action. */
  get own(): Record<string, string[]> {
    return this.remapped
  }

  /** Gives an action other keys; none gives it its own back. */
  remap(id: string, keys: string[] | null): void {
    const { [id]: _, ...others } = this.remapped
    this.take(keys ? { ...others, [id]: keys } : others)
    chose('keys')
  }

  /** What was chosen elsewhere. */
  take(keys: Record<string, string[]>): void {
    this.remapped = keys
    try {
      localStorage.setItem(STORED, JSON.stringify(this.remapped))
    } catch {
      // Without storage the keys hold until the page is closed.
    }
  }

  isRemapped(id: string): boolean {
    return id in this.remapped
  }

  /** Listens for keys until the result is called. */
  start(): () => void {
    const pressed = (event: KeyboardEvent) => this.press(event)
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }

  private press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || this.blocked > 0) return
    const key = nameOf(event)
    if (!key) return
    const typing = isTyping(event.target)
    const pair =
      this.pending && event.timeStamp - this.pending.at < PAIR_MS ? `${this.pending.key} ${key}` : null
    // Where two have the same keys, the screen that came last means its own.
    const of = (keys: string) =>
      this.actions.findLast((action) => action.keys.includes(keys) && (!typing || action.typing))
    const action = (pair && of(pair)) || of(key)
    this.pending = null
    if (action) {
      event.preventDefault()
      action.run()
    } else if (
      !typing &&
      this.actions.some((action) => action.keys.some((keys) => keys.startsWith(`${key} `)))
    ) {
      this.pending = { key, at: event.timeStamp }
    }
  }
}

/** The name of a pressed key: `mod+shift+p`, `?`, `enter`; none for a modifier alone. */
export function nameOf(event: KeyboardEvent): string | null {
  if (['Control', 'Shift', 'Alt', 'Meta', 'Dead', 'Unidentified'].includes(event.key)) return null
  const mod = isMac ? event.metaKey : event.ctrlKey
  const other = isMac ? event.ctrlKey : event.metaKey
  if (other) return null
  const key = event.key === ' ' ? 'space' : event.key.toLowerCase()
  // A sign such as `?` already says that shift was held.
  const shift = event.shiftKey && (key.length > 1 || /[a-z]/.test(key))
  return [mod && 'mod', event.altKey && 'alt', shift && 'shift', key].filter(Boolean).join('+')
}

/** Keys as people read them: `Ctrl K`. */
export function show(keys: string): string {
  const names: Record<string, string> = {
    mod: isMac ? '⌘' : 'Ctrl',
    shift: isMac ? '⇧' : 'Shift',
    alt: isMac ? '⌥' : 'Alt',
    enter: 'Enter',
    escape: 'Esc',
    space: 'Space',
    arrowdown: '↓',
    arrowup: '↑',
    arrowleft: '←',
    arrowright: '→',
  }
  const one = (key: string) => key.split('+').map((part) => names[part] ?? part.toUpperCase())
  return keys
    .split(' ')
    .map((key) => one(key).join(' '))
    .join(' then ')
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || isTextField(target)
}

function isTextField(target: HTMLElement): boolean {
  if (!(target instanceof HTMLInputElement)) return false
  return !['checkbox', 'radio', 'button', 'submit', 'range', 'color', 'file'].includes(target.type)
}

function load(): Record<string, string[]> {
  try {
    return readKeys(JSON.parse(localStorage.getItem(STORED) ?? '{}'))
  } catch {
    return {}
  }
}

function loadKnown(): Known[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KNOWN) ?? '[]')
    const isKnown = (value: unknown): value is Known => {
      const { id, title, group, keys } = (value ?? {}) as Record<string, unknown>
      const texts = [id, title, group].every((text) => typeof text === 'string')
      return texts && Array.isArray(keys) && keys.every((key) => typeof key === 'string')
    }
    return Array.isArray(stored) ? stored.filter(isKnown) : []
  } catch {
    return []
  }
}

export const keys = new Keys()

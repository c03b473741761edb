// Keeps what the person chose in the file that the daemon serves, and takes over what stands there. The storage of the browser
// is what it looks like until the daemon is heard, and all there is where the daemon lets a browser change no file.

import { Failure, get, path, put } from './api/client'
import type { SettingsTextView } from './api/protocol'
import { chose, hearChoices, isSaved, isUnsaved, unsavedParts, type Part } from './kept'
import { keys } from './keys.svelte'
import { look, usual as usualLook } from './look.svelte'
import { usual as usualNotices } from './notices'
import { notify } from './notify.svelte'
import { readFile, shared, withPart } from './preferences'
import { toasts } from './toasts.svelte'

const ROUTE = path('settings', 'dashboard')
/** This browser was told that it may change no file. */
const REFUSED = 'divisi.keepsOwn'
/** Times that a file which somebody else changed meanwhile is read again. */
const TRIES_MAX = 3

class Keeper {
  private writing: Promise<void> = Promise.resolve()
  private started = false
  private keepsOwn = localStorage.getItem(REFUSED) === 'yes'

  /** Reads the file, and from then on writes what is chosen. */
  async start(): Promise<void> {
    const isFirst = !this.started
    this.started = true
    try {
      await this.load(isFirst)
    } catch (error) {
      // It is tried again when the page is looked at again.
      if (isFirst) this.started = false
      throw error
    }
    if (isFirst) hearChoices(() => (this.writing = this.writing.then(() => this.write())))
  }

  /** Takes over what stands in the file; at first, what was chosen before there was one is put into it. */
  async load(first = false): Promise<void> {
    const { text } = await get<SettingsTextView>(ROUTE)
    const file = readFile(text)
    // What is chosen where no file may be changed would else be lost with every look at it.
    if (!file || this.keepsOwn) return
    // What was chosen here and is not in the file yet is newer than the file.
    if (file.look && !isUnsaved('look')) look.take(file.look)
    if (file.keys && !isUnsaved('keys')) keys.take(file.keys)
    if (file.notifications && !isUnsaved('notifications')) {
      notify.take({ ...file.notifications, on: notify.choices.on })
    }
    if (!first) return
    if (!file.look && differs(look.chosen, usualLook)) chose('look')
    if (!file.keys && Object.keys(keys.own).length > 0) chose('keys')
    if (!file.notifications && differs(shared(notify.choices), shared(usualNotices))) chose('notifications')
  }

  private async write(): Promise<void> {
    const unsaved = unsavedParts()
    if (unsaved.length === 0 || this.keepsOwn) return
    for (let tries = 1; ; tries += 1) {
      try {
        const { text, hash } = await get<SettingsTextView>(ROUTE)
        if (!readFile(text)) {
          throw new Failure(
            'bad_input',
            'the file of the dashboard cannot be read',
            'mend it in Settings, Files',
          )
        }
        const changed = unsaved.reduce((now, [part]) => withPart(now, part, valueOf(part)), text)
        await put<SettingsTextView>(ROUTE, { text: changed, hash })
        for (const [part, times] of unsaved) isSaved(part, times)
        return
      } catch (error) {
        if (error instanceof Failure && error.kind === 'wrong_state' && tries < TRIES_MAX) continue
        return this.failed(error)
      }
    }
  }

  private failed(error: unknown): void {
    if (error instanceof Failure && error.kind === 'forbidden') {
      this.keepsOwn = true
      localStorage.setItem(REFUSED, 'yes')
    } else toasts.failed(error)
  }
}

function valueOf(part: Part): unknown {
  if (part === 'look') return look.chosen
  return part === 'keys' ? keys.own : shared(notify.choices)
}

function differs(one: object, other: object): boolean {
  return JSON.stringify(one) !== JSON.stringify(other)
}

export const keeper = new Keeper()

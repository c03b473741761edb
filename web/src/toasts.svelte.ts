// Short words about what was just done, with a way to take it back where there is one.

import { Failure } from './api/client'

export interface Toast {
  id: number
  text: string
  hint?: string | undefined
  bad?: boolean
  undo?: { title: string; run: () => void } | undefined
}

/** How long words stay, and how long those stay that can be taken back. */
const LASTS_MS = 6_000
const UNDO_LASTS_MS = 20_000
/** No more are on the screen; those that nothing is lost with go first. */
const TOASTS_MAX = 8

class Toasts {
  all = $state.raw<Toast[]>([])
  private next = 1
  /** What is left of each toast's time, in milliseconds; none for those that stay. */
  private readonly left = new Map<number, number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private since = 0
  private held = false

  say(text: string, rest: Omit<Toast, 'id' | 'text'> = {}): void {
    const toast = { id: this.next++, text, ...rest }
    this.pass()
    if (!rest.bad) this.left.set(toast.id, rest.undo ? UNDO_LASTS_MS : LASTS_MS)
    this.all = [...this.room(), toast]
    this.wait()
  }

  /** Says why something failed; it stays until it is dismissed. */
  failed(error: unknown): void {
    if (error instanceof Failure) this.say(error.message, { hint: error.hint || undefined, bad: true })
    else this.say(error instanceof Error ? error.message : String(error), { bad: true })
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id)
    this.left.delete(id)
  }

  /** Takes back what can be taken back and was done last; `false` where there is nothing. */
  undoLast(): boolean {
    const last = this.all.findLast((toast) => toast.undo)
    if (!last) return false
    this.dismiss(last.id)
    last.undo?.run()
    return true
  }

  /** While somebody reads them or has the focus among them none goes. */
  hold(held: boolean): void {
    if (held === this.held) return
    this.pass()
    this.held = held
    this.wait()
  }

  /** Does something, and says why if it fails; `true` if it did not. */
  async try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  /** Those that stay when one more comes. */
  private room(): Toast[] {
    const all = [...this.all]
    while (all.length >= TOASTS_MAX) {
      const plain = all.findIndex((toast) => !toast.bad && !toast.undo)
      const [gone] = all.splice(Math.max(0, plain), 1)
      if (gone) this.left.delete(gone.id)
    }
    return all
  }

  /** Counts the time that has passed since it was counted last. */
  private pass(): void {
    clearTimeout(this.timer)
    const passed = this.held ? 0 : Date.now() - this.since
    this.since = Date.now()
    for (const [id, ms] of this.left) {
      if (ms - passed > 0) this.left.set(id, ms - passed)
      else this.dismiss(id)
    }
  }

  private wait(): void {
    if (this.held || this.left.size === 0) return
    const again = () => {
      this.pass()
      this.wait()
    }
    this.timer = setTimeout(again, Math.min(...this.left.values()))
  }
}

export const toasts = new Toasts()

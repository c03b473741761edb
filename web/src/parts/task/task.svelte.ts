// One task with all that happened to it, fetched again whenever it changes.

import { Failure, get, path } from '../../api/client'
import { live } from '../../api/live.svelte'
import type { TaskView } from '../../api/protocol'

export class OneTask {
  view = $state.raw<TaskView | null>(null)
  /** Why it cannot be shown. */
  failed = $state('')
  private asked = 0

  constructor(readonly handle: string) {}

  /** What is compared to know that it changed. */
  get stamp(): string {
    return live.tasks.get(this.handle)?.changed ?? ''
  }

  /** Takes in what a request answered with. */
  take(view: TaskView): void {
    if (view.handle === this.handle) this.view = view
  }

  async load(): Promise<void> {
    const asked = ++this.asked
    try {
      const view = await get<TaskView>(path('tasks', this.handle))
      if (asked !== this.asked) return
      this.view = view
      this.failed = ''
    } catch (error) {
      if (asked === this.asked && !this.view)
        this.failed = error instanceof Failure ? error.message : String(error)
    }
  }
}

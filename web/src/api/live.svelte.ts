// What is on the board, kept right: a snapshot, then changes, each folded in once. A page that was cut off goes on from the
// number of the last event it knows, without a reload.

import { SvelteMap } from 'svelte/reactivity'

import type { ActivityView, ChangesView, ProjectView, SnapshotView, TaskSummary } from './protocol'

/** How the page hears of changes. `entering`: nobody has let this browser in. */
export type Connection = 'connecting' | 'live' | 'away' | 'entering'

/** The daemon speaks every 10 s; after so long without a word the connection is dead, as after a sleep. */
const SILENCE_MAX_MS = 25_000
const RETRY_MS = 1_000
const RETRY_MS_MAX = 10_000

export class Live {
  /** All tasks by handle, archived ones too. */
  readonly tasks = new SvelteMap<string, TaskSummary>()
  /** What attempts did last, by handle. */
  readonly activity = new SvelteMap<string, ActivityView>()
  projects = $state.raw<ProjectView[]>([])
  connection = $state<Connection>('connecting')
  /** Since when the page has heard nothing; none while it hears. */
  awaySince = $state<number | null>(null)
  /** How long it was away last, until it is dismissed. */
  wasAwayMs = $state<number | null>(null)
  /** The number of the last event that is shown. */
  seq = $state.raw(-1)
  /** The daemon's clock minus this one's, in milliseconds. */
  clockSkewMs = 0

  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private retryMs = RETRY_MS
  /** When the daemon was heard last: a page that slept was away since then, not since it noticed. */
  private heardAt = Date.now()

  /** Follows the daemon until `stop`. */
  start(): void {
    addEventListener('online', this.again)
    document.addEventListener('visibilitychange', this.again)
    this.connect()
  }

  /** This browser was let in: what it may see now is asked for at once. */
  entered(): void {
    clearTimeout(this.timer)
    this.seq = -1
    this.connection = 'connecting'
    this.connect()
  }

  stop(): void {
    removeEventListener('online', this.again)
    document.removeEventListener('visibilitychange', this.again)
    clearTimeout(this.timer)
    this.source?.close()
  }

  /** Takes in everything at once. */
  snapshot(view: SnapshotView): void {
    this.tasks.clear()
    this.activity.clear()
    for (const task of view.tasks) this.tasks.set(task.handle, task)
    for (const activity of view.activity) this.activity.set(activity.attempt, activity)
    this.projects = view.projects
    this.heard(view.seq, view.now)
  }

  /** Takes in what is different; what is known already changes nothing. */
  changes(view: ChangesView): void {
    for (const task of view.tasks) this.tasks.set(task.handle, task)
    if (view.projects) this.projects = view.projects
    for (const activity of view.activity) this.activity.set(activity.attempt, activity)
    this.heard(view.seq, view.now)
  }

  private heard(seq: number, now: string): void {
    this.seq = Math.max(this.seq, seq)
    this.clockSkewMs = Date.parse(now) - Date.now()
    if (this.awaySince !== null) this.wasAwayMs = Date.now() - this.awaySince
    this.awaySince = null
    this.heardAt = Date.now()
    this.connection = 'live'
    this.retryMs = RETRY_MS
    this.expect(SILENCE_MAX_MS)
  }

  private connect(): void {
    this.source?.close()
    const source = new EventSource(this.seq < 0 ? '/v1/live' : `/v1/live?after=${this.seq}`)
    this.source = source
    source.addEventListener('snapshot', (event) => {
      this.seq = -1
      this.snapshot(JSON.parse((event as MessageEvent<string>).data) as SnapshotView)
    })
    source.addEventListener('changes', (event) =>
      this.changes(JSON.parse((event as MessageEvent<string>).data) as ChangesView),
    )
    source.onerror = () => this.lost()
    this.expect(SILENCE_MAX_MS)
  }

  private expect(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.lost(), ms)
  }

  /** The connection is gone: says so, and tries again, ever less often. */
  private lost(): void {
    this.source?.close()
    this.source = null
    if (this.connection !== 'entering') {
      this.awaySince ??= this.heardAt
      this.connection = this.seq < 0 ? 'connecting' : 'away'
    }
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.retry(), this.retryMs)
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX)
  }

  private readonly again = (): void => {
    if (this.source || document.visibilityState === 'hidden') return
    clearTimeout(this.timer)
    void this.retry()
  }

  /** An event stream does not say why it failed, so a plain request asks first. */
  private async retry(): Promise<void> {
    const status = await fetch('/v1/health', { credentials: 'same-origin' }).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 401) this.connection = 'entering'
    if (status === 200) this.connect()
    else this.lost()
  }
}

export const live = new Live()

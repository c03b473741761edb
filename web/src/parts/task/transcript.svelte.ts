// One transcript: its end first, what stands above page by page, and everything new as it comes.

import { SvelteSet } from 'svelte/reactivity'

import { Failure, get, path } from '../../api/client'
import type { TranscriptEntryView } from '../../api/protocol'
import { keyOf, merge } from './entries'

/** Entries of one page. */
const PAGE = 300
const RETRY_MS = 2_000

export class Transcript {
  /** What is loaded, in the order of the transcript. */
  entries = $state.raw<readonly TranscriptEntryView[]>([])
  state = $state<'loading' | 'ready' | 'failed'>('loading')
  /** Why it cannot be read. */
  why = $state('')
  /** Whether there may be more above. */
  more = $state(false)
  loadingOlder = $state(false)
  /** What a person unfolded; kept here because rows out of sight are taken out of the page. */
  readonly unfolded = new SvelteSet<string>()

  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private waiting: TranscriptEntryView[] = []
  private frame = 0
  private rev = 0
  private stopped = false

  constructor(readonly handle: string) {}

  /** Loads the end and follows from there until `stop`. */
  async start(): Promise<void> {
    try {
      const last = await this.page(null)
      if (this.stopped) return
      this.entries = last
      this.more = last.length === PAGE
      this.rev = last.reduce((most, entry) => Math.max(most, entry.rev), 0)
      this.state = 'ready'
      this.follow()
    } catch (error) {
      if (this.stopped) return
      this.state = 'failed'
      this.why = error instanceof Failure ? error.message : String(error)
      this.timer = setTimeout(() => void this.start(), RETRY_MS)
    }
  }

  stop(): void {
    this.stopped = true
    this.source?.close()
    clearTimeout(this.timer)
    cancelAnimationFrame(this.frame)
  }

  /** Loads the page above. */
  async older(): Promise<void> {
    const first = this.entries[0]
    if (!first || !this.more || this.loadingOlder) return
    this.loadingOlder = true
    try {
      const page = await this.page(keyOf(first))
      this.more = page.length === PAGE
      this.entries = [...page, ...this.entries]
    } catch {
      // The person scrolls again, or the page says that it is cut off.
    } finally {
      this.loadingOlder = false
    }
  }

  private page(before: string | null): Promise<TranscriptEntryView[]> {
    const above = before ? `&before=${before}` : ''
    return get<TranscriptEntryView[]>(`${path('tasks', this.handle, 'transcript')}?last=${PAGE}${above}`)
  }

  private follow(): void {
    const source = new EventSource(`${path('tasks', this.handle, 'transcript', 'live')}?after=${this.rev}`)
    this.source = source
    source.onmessage = (event: MessageEvent<string>) => {
      this.waiting.push(JSON.parse(event.data) as TranscriptEntryView)
      // At most once a frame, however fast they come.
      if (!this.frame) this.frame = requestAnimationFrame(() => this.take())
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED || this.stopped) return
      this.timer = setTimeout(() => this.follow(), RETRY_MS)
    }
  }

  private take(): void {
    this.frame = 0
    const found = this.waiting
    this.waiting = []
    for (const entry of found) this.rev = Math.max(this.rev, entry.rev)
    this.entries = merge(this.entries, found, this.more)
  }
}

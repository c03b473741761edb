// A connection to a shell, in both directions. It is the one thing that does not go by requests: bytes as they are, and short
// words as JSON beside them. A connection that is lost is made again by itself, from the byte that was seen last.

import { Failure, get, path } from './client'
import type { TerminalNews, TerminalView, TerminalWord } from './protocol'

export type ShellState =
  | { at: 'connecting' }
  | { at: 'open' }
  /** The connection is lost; it is tried again. */
  | { at: 'away' }
  | { at: 'ended'; why: string }

export interface Listener {
  /** Bytes came; `shown` says that they are on the screen, so that no more are sent than can be shown. */
  bytes: (bytes: Uint8Array, shown: () => void) => void
  /** So many bytes were written that nobody can see any more. */
  missed: (bytes: number) => void
  state: (state: ShellState) => void
}

/** Pause before the connection is tried again, at first and at most. */
const AGAIN_MS = 500
const AGAIN_MAX_MS = 8_000
/** Longest message that is sent, in bytes. */
const SEND_MAX = 16 * 1024

export class Shell {
  private socket: WebSocket | null = null
  private seen = 0
  private size: { columns: number; rows: number } | null = null
  private pause = AGAIN_MS
  private timer: ReturnType<typeof setTimeout> | undefined
  private exit: TerminalNews | null = null
  private left = false

  constructor(
    private readonly attempt: string,
    private readonly terminal: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    this.listener.state({ at: 'connecting' })
    this.connect()
  }

  /** Types; what cannot be sent now is not kept, as at a terminal whose line is cut. */
  type(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SEND_MAX) {
      if (this.ready) this.socket?.send(bytes.slice(at, at + SEND_MAX))
    }
  }

  resize(columns: number, rows: number): void {
    this.size = { columns, rows }
    this.say({ kind: 'size', columns, rows })
  }

  /** Leaves it; the shell is kept for some minutes. */
  leave(): void {
    this.left = true
    clearTimeout(this.timer)
    this.socket?.close()
  }

  private get ready(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  private say(word: TerminalWord): void {
    if (this.ready) this.socket?.send(JSON.stringify(word))
  }

  private connect(): void {
    const url = new URL(path('tasks', this.attempt, 'terminals', this.terminal), location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.searchParams.set('from', String(this.seen))
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.onopen = () => {
      this.pause = AGAIN_MS
      this.listener.state({ at: 'open' })
      if (this.size) this.resize(this.size.columns, this.size.rows)
    }
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.hear(event.data)
    socket.onclose = (event) => this.closed(event.reason)
  }

  private hear(data: ArrayBuffer | string): void {
    if (typeof data === 'string') {
      const news = JSON.parse(data) as TerminalNews
      if (news.kind !== 'begins') {
        this.exit = news
        return
      }
      this.seen = news.offset
      if (news.missed > 0) this.listener.missed(news.missed)
      return
    }
    const bytes = new Uint8Array(data)
    this.seen += bytes.length
    const offset = this.seen
    this.listener.bytes(bytes, () => this.say({ kind: 'shown', offset }))
  }

  private closed(reason: string): void {
    this.socket = null
    if (this.left) return
    // A daemon that ends takes its shells with it, and says so.
    if (this.exit || reason) {
      this.listener.state({ at: 'ended', why: this.exit ? ended(this.exit) : reason })
      return
    }
    this.listener.state({ at: 'away' })
    this.timer = setTimeout(() => void this.again(), this.pause)
    this.pause = Math.min(this.pause * 2, AGAIN_MAX_MS)
  }

  private async again(): Promise<void> {
    try {
      const open = await get<TerminalView[]>(path('tasks', this.attempt, 'terminals'))
      if (this.left) return
      if (open.some((one) => one.terminal === this.terminal)) this.connect()
      else this.listener.state({ at: 'ended', why: 'it ended while this page was away' })
    } catch (error) {
      if (this.left) return
      if (error instanceof Failure && error.kind !== 'offline') {
        this.listener.state({ at: 'ended', why: error.message })
      } else {
        this.closed('')
      }
    }
  }
}

function ended(news: TerminalNews): string {
  if (news.kind === 'signaled') return `the shell was ended by signal ${news.signal}`
  return news.kind === 'exited' ? `the shell has ended with ${news.code}` : ''
}

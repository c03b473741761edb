import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { TerminalView } from './protocol'
import { Shell, type ShellState } from './shell'

class FakeSocket {
  static all: FakeSocket[] = []
  static readonly OPEN = 1
  readyState = 0
  sent: unknown[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { reason: string }) => void) | null = null

  constructor(readonly url: URL) {
    FakeSocket.all.push(this)
  }

  opens() {
    this.readyState = 1
    this.onopen?.()
  }

  send(data: unknown) {
    this.sent.push(data)
  }

  close() {
    this.breaks()
  }

  breaks(reason = '') {
    this.readyState = 3
    this.onclose?.({ reason })
  }

  hears(data: unknown) {
    this.onmessage?.({ data: typeof data === 'string' ? data : JSON.stringify(data) })
  }

  bytes(text: string) {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer })
  }
}

const open: TerminalView = { terminal: 'abc', opened: '2026-01-01T00:00:00Z', connected: false }

function begin() {
  const states: ShellState[] = []
  const missed: number[] = []
  let text = ''
  const shell = new Shell('t1.1', 'abc', {
    bytes: (bytes, shown) => {
      text += new TextDecoder().decode(bytes)
      shown()
    },
    missed: (bytes) => missed.push(bytes),
    state: (state) => states.push(state),
  })
  shell.start()
  return { shell, states, missed, text: () => text, last: () => FakeSocket.all.at(-1)! }
}

function answers(status: number, body: unknown) {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), { status })))
}

describe('a connection to a shell', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('WebSocket', FakeSocket)
    FakeSocket.all = []
  })
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  test('says what is on the screen, and long words in pieces', () => {
    const { shell, last, text } = begin()
    last().opens()
    last().hears({ kind: 'begins', offset: 100, missed: 0 })
    last().bytes('hello')
    expect(text()).toBe('hello')
    expect(last().sent).toEqual(['{"kind":"shown","offset":105}'])
    shell.type(new Uint8Array(40_000))
    expect(
      last()
        .sent.slice(1)
        .map((piece) => (piece as Uint8Array).length),
    ).toEqual([16_384, 16_384, 7_232])
  })

  test('comes back from the byte that was seen last, with its size', async () => {
    const { shell, states, missed, last } = begin()
    shell.resize(80, 24)
    last().opens()
    last().hears({ kind: 'begins', offset: 0, missed: 0 })
    last().bytes('hello')
    answers(200, [open])
    last().breaks()
    expect(states.at(-1)).toEqual({ at: 'away' })
    await vi.advanceTimersByTimeAsync(500)
    expect(FakeSocket.all.length).toBe(2)
    expect(last().url.searchParams.get('from')).toBe('5')
    last().opens()
    expect(last().sent).toEqual(['{"kind":"size","columns":80,"rows":24}'])
    last().hears({ kind: 'begins', offset: 50, missed: 45 })
    expect(missed).toEqual([45])
  })

  test('does not come back to what has ended, been taken or been left', async () => {
    const first = begin()
    first.last().opens()
    first.last().hears({ kind: 'exited', code: 7 })
    first.last().breaks('the shell has ended')
    expect(first.states.at(-1)).toEqual({ at: 'ended', why: 'the shell has ended with 7' })
    const second = begin()
    second.last().breaks('it was opened on another page')
    expect(second.states.at(-1)).toEqual({ at: 'ended', why: 'it was opened on another page' })
    const third = begin()
    answers(200, [])
    third.last().breaks()
    await vi.advanceTimersByTimeAsync(500)
    expect(third.states.at(-1)).toEqual({ at: 'ended', why: 'it ended while this page was away' })
    const fourth = begin()
    fourth.shell.leave()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all.length).toBe(4)
  })
})

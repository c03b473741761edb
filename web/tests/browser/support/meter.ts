/** Measuring a page from outside (what Chromium says of it) and from inside (keys and frames). */
import type { CDPSession, Page } from 'playwright-core'

/** What Chromium has counted so far; seconds and bytes. */
export interface Counted {
  at: number
  scripting: number
  busy: number
  heap: number
}

export class Meter {
  private constructor(
    private readonly page: Page,
    private readonly session: CDPSession,
  ) {}

  static async of(page: Page): Promise<Meter> {
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    return new Meter(page, session)
  }

  async count(): Promise<Counted> {
    const { metrics } = await this.session.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN
    return {
      at: of('Timestamp'),
      scripting: of('ScriptDuration'),
      busy: of('TaskDuration'),
      heap: of('JSHeapUsedSize'),
    }
  }

  /** Bytes that the page's script still needs after everything else was thrown away. */
  async heap(): Promise<number> {
    await this.session.send('HeapProfiler.collectGarbage')
    await this.session.send('HeapProfiler.collectGarbage')
    return (await this.count()).heap
  }

  /** From now on notes for each key how long it took until the page heard of it, and until the next frame was painted. */
  async watchKeys(): Promise<void> {
    await this.page.evaluate(() => {
      const kept: { heard: number; painted: number }[] = []
      Object.assign(window, { keysSeen: kept })
      const pressed = (event: KeyboardEvent) => {
        const heard = performance.now() - event.timeStamp
        requestAnimationFrame(() => {
          // A message is delivered after the frame that is being made now.
          const channel = new MessageChannel()
          channel.port1.onmessage = () => kept.push({ heard, painted: performance.now() - event.timeStamp })
          channel.port2.postMessage(0)
        })
      }
      addEventListener('keydown', pressed, { capture: true })
    })
  }

  keys(): Promise<{ heard: number; painted: number }[]> {
    return this.page.evaluate(
      () => (window as unknown as { keysSeen: { heard: number; painted: number }[] }).keysSeen,
    )
  }

  /** Milliseconds from following a link inside the page until `selector` has `count` elements and they are painted. */
  async opens(path: string, selector: string, count: number): Promise<number> {
    return this.page.evaluate(
      ([path, selector, count]) =>
        new Promise<number>((done) => {
          const link = document.createElement('a')
          link.href = path
          document.body.append(link)
          const started = performance.now()
          link.click()
          link.remove()
          const look = () => {
            if (document.querySelectorAll(selector).length < count) return void requestAnimationFrame(look)
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)))
          }
          look()
        }),
      [path, selector, count] as const,
    )
  }

  /** Scrolls what holds `selector` by a screen's tenth per frame; milliseconds between frames. */
  async scrolls(selector: string, frames: number): Promise<number[]> {
    return this.page.evaluate(
      ([selector, frames]) =>
        new Promise<number[]>((done) => {
          let box: Element | null = document.querySelector(selector)
          const moves = (one: Element) =>
            one.scrollHeight > one.clientHeight + 10 && /auto|scroll/.test(getComputedStyle(one).overflowY)
          while (box !== null && !moves(box)) box = box.parentElement
          const scroller = box ?? document.scrollingElement ?? document.documentElement
          // A transcript may stand at its end.
          const step = (scroller.scrollTop > 0 ? -1 : 1) * (innerHeight / 10)
          const gaps: number[] = []
          let last = 0
          const frame = (now: number) => {
            if (last > 0) gaps.push(now - last)
            last = now
            if (gaps.length >= frames) return done(gaps)
            scroller.scrollTop += step
            requestAnimationFrame(frame)
          }
          requestAnimationFrame(frame)
        }),
      [selector, frames] as const,
    )
  }
}

/** A person who looks at the dashboard: a page of some size, and everything that went wrong in it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'

import type { Daemon } from './daemon'
import type { Line } from './line'
import { FAILURES } from './place'
import { until, WAIT_MAX_MS } from './until'

export interface Size {
  name: string
  width: number
  height: number
  touch: boolean
}

export const DESK: Size = { name: 'desk', width: 1280, height: 800, touch: false }
export const PHONE: Size = { name: 'phone', width: 360, height: 740, touch: true }

/** The board's columns by what the daemon calls them. */
export const COLUMNS: Record<string, string> = {
  backlog: 'Backlog',
  working: 'Working',
  needs_you: 'Needs you',
  in_review: 'In review',
  ready_to_land: 'Ready to land',
  done: 'Done',
}

/** How often a finger is seen on its way. */
const SLIDE_STEPS = 16

/** How else a page may be looked at. */
export interface Wants {
  scheme?: 'light' | 'dark'
  /** Whose browser it is. */
  kind?: 'owner' | 'paired'
  /** Whether the page's own service worker may run. */
  serviceWorker?: boolean
  /** Nobody has let this browser in; it has to enter by a link. */
  stranger?: boolean
  /** The line that all requests take; else there is none between browser and daemon. */
  line?: Line
  /** Pixels of the screen per pixel of the page. */
  scale?: number
}

export class Visit {
  /** What no page may do: errors, violations of the content policy, requests to somebody else. */
  readonly problems: string[] = []
  /** Everything that the console said. */
  readonly console: string[] = []
  /** Scheme, host and port by which this browser reaches the daemon. */
  origin = ''
  private readonly excused: RegExp[] = []

  private constructor(
    readonly daemon: Daemon,
    readonly context: BrowserContext,
    readonly page: Page,
    readonly size: Size,
  ) {}

  static async begin(browser: Browser, daemon: Daemon, size: Size, wants: Wants = {}): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: size.width, height: size.height },
      hasTouch: size.touch,
      isMobile: size.touch,
      deviceScaleFactor: wants.scale ?? 1,
      colorScheme: wants.scheme ?? 'light',
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'UTC',
      ...(wants.line && { proxy: { server: wants.line.address, bypass: '<-loopback>' } }),
      serviceWorkers: wants.serviceWorker === true ? 'allow' : 'block',
    })
    context.setDefaultTimeout(WAIT_MAX_MS)
    const visit = new Visit(daemon, context, await context.newPage(), size)
    visit.watch()
    if (!wants.stranger) await visit.enter(wants.kind ?? 'owner')
    return visit
  }

  /** Opens a place of the dashboard, such as `/tasks/t1`. */
  async open(path = '/'): Promise<void> {
    await this.page.goto(this.origin + path, { waitUntil: 'domcontentloaded' })
    await this.page.getByRole('main').waitFor()
  }

  /** A column of the board, by the daemon's name for it. */
  column(attention: string): Locator {
    const name = COLUMNS[attention] ?? attention
    return this.page.getByRole('main').getByRole('region', { name: new RegExp(`^${name}`) })
  }

  /** What stands in a place that may not be there yet. */
  async sees(where: Locator): Promise<Locator> {
    await where.first().waitFor({ state: 'visible' })
    return where.first()
  }

  /** Waits until the page's address has this path. */
  at(path: string | RegExp): Promise<boolean> {
    const fits = (found: string) => (typeof path === 'string' ? found === path : path.test(found))
    return until(`the address ${path}`, () => {
      const found = new URL(this.page.url()).pathname
      if (fits(found)) return true
      throw new Error(`it is ${found}`)
    })
  }

  /** Presses keys one after the other, as a person does who waits for nothing. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key)
  }

  /** Draws a finger from the middle of one place to that of another. */
  async slide(from: Locator, to: Locator): Promise<void> {
    const middle = async (where: Locator) => {
      const box = await where.boundingBox()
      if (!box) throw new Error(`${String(where)} is not on the screen`)
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
    }
    const [start, end] = [await middle(from), await middle(to)]
    const finger = await this.context.newCDPSession(this.page)
    // A second for the whole way, half of it at rest: Chromium takes the tap after a quick one for the end of a fling.
    let timestamp = Date.now() / 1000 - 1
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
      finger.send('Input.dispatchTouchEvent', {
        type,
        touchPoints,
        timestamp: (timestamp += 1 / SLIDE_STEPS),
      })
    await send('touchStart', [start])
    for (let step = 1; step < SLIDE_STEPS - 1; step += 1) {
      const part = Math.min(1, (2 * step) / SLIDE_STEPS)
      await send('touchMove', [
        { x: start.x + (end.x - start.x) * part, y: start.y + (end.y - start.y) * part },
      ])
    }
    await send('touchEnd', [])
    await finger.detach()
  }

  /** Waits until nothing is loading, and what the page shows has stayed the same for three looks. */
  async settles(): Promise<void> {
    let last = ''
    let same = 0
    await until('the page stands still', async () => {
      const shown = await this.page.evaluate(
        () =>
          document.body.innerText.replaceAll(/\d+ (s|min)\b/g, '') +
          String(document.querySelectorAll('*').length),
      )
      same = shown === last ? same + 1 : 0
      last = shown
      return same >= 3 && !/^Loading/m.test(shown)
    })
  }

  /** Says that a test provokes problems of this kind. */
  excuse(...kinds: RegExp[]): void {
    this.excused.push(...kinds)
  }

  /** Whether something is wider than the screen, so that the page moves sideways. */
  overflows(): Promise<number> {
    return this.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
  }

  /** Leaves a picture, the console and the daemon's log where a person finds them. */
  async keep(name: string): Promise<void> {
    mkdirSync(FAILURES, { recursive: true })
    const at = (ending: string) => join(FAILURES, `${name}-${this.size.name}${ending}`)
    await this.page.screenshot({ path: at('.png'), timeout: 5_000 }).catch(() => undefined)
    writeFileSync(at('.console.txt'), [this.page.url(), ...this.console].join('\n'))
    writeFileSync(at('.daemon.txt'), this.daemon.log)
    console.error(
      `what the page showed is kept in ${at('.png')}, with its console and the daemon's log beside it`,
    )
  }

  async end(): Promise<void> {
    await this.context.close()
  }

  /** What happened and was not provoked. */
  get unexcused(): string[] {
    return this.problems.filter((problem) => !this.excused.some((kind) => kind.test(problem)))
  }

  private watch(): void {
    this.page.on('console', (message) => {
      // Where it is not to run, the page asks for it all the same.
      if (message.text().startsWith('Service Worker registration blocked by Playwright')) return
      const line = `${message.type()}: ${message.text()} (${message.location().url})`
      this.console.push(line)
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(line)
    })
    this.page.on('pageerror', (error) => this.problems.push(`uncaught: ${error.stack ?? error.message}`))
    this.context.on('request', (request) => {
      const isOurs = [this.origin, 'data:', 'blob:'].some((start) => request.url().startsWith(start))
      if (!isOurs) this.problems.push(`a request to somebody else: ${request.url()}`)
    })
    this.page.on('dialog', (dialog) => {
      this.problems.push(`a dialog of the browser: ${dialog.message()}`)
      void dialog.dismiss()
    })
  }

  /** Enters by a link that works once, as `divisi open` gives it. */
  private async enter(kind: 'owner' | 'paired'): Promise<void> {
    const { link } = await this.daemon.post<{ link: string }>('/v1/entries', { kind })
    this.origin = new URL(link).origin
    await this.page.goto(link)
    await this.at('/')
  }
}

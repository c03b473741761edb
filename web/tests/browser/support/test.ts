/** `test` with a daemon of its own, a desk and a phone; whatever a page did wrong fails its test at the end. */
import type { Browser } from 'playwright-core'
import { test as base } from 'vitest'

import { launch } from './chromium'
import { Daemon } from './daemon'
import { DESK, PHONE, Visit, type Size, type Wants } from './visit'

export { expect, describe } from 'vitest'

interface Fixtures {
  /** Chromium, one for all tests of a worker. */
  browser: Browser
  /** How many attempts work at once. */
  parallel: number
  /** A daemon of this test's own. */
  daemon: Daemon
  /** Begins further visits. */
  visits: (size: Size, wants?: Wants) => Promise<Visit>
  /** 1280 × 800, a mouse and keys. */
  desk: Visit
  /** 360 × 740 and fingers. */
  phone: Visit
}

export const test = base.extend<Fixtures>({
  browser: [
    async ({}, use) => {
      const browser = await launch()
      await use(browser)
      await browser.close()
    },
    { scope: 'worker' },
  ],
  parallel: 8,
  daemon: async ({ parallel }, use) => {
    const daemon = await Daemon.start(parallel)
    try {
      await use(daemon)
    } finally {
      await daemon.end()
    }
  },
  visits: async ({ browser, daemon, task }, use) => {
    const begun: Visit[] = []
    await use(async (size, wants) => {
      const visit = await Visit.begin(browser, daemon, size, wants)
      begun.push(visit)
      return visit
    })
    const problems = begun.flatMap((visit) =>
      visit.unexcused.map((problem) => `${visit.size.name}: ${problem}`),
    )
    const failed = task.result?.state === 'fail' || problems.length > 0
    for (const visit of begun) {
      if (failed) await visit.keep(task.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 80))
      await visit.end()
    }
    if (problems.length === 0) return
    // What fails here keeps the fixtures below it from ending.
    await daemon.end()
    throw new Error(`the page did what no page may do:\n${problems.join('\n')}`)
  },
  desk: async ({ visits }, use) => use(await visits(DESK)),
  phone: async ({ visits }, use) => use(await visits(PHONE)),
})

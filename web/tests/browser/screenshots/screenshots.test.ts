/** A picture of every place with a staged fleet, light and dark, at a desk and on a phone. */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { FLEET_PARALLEL, stage } from '../support/fleet'
import { FAILURES } from '../support/place'
import { SCREENS, show } from '../support/screens'
import { expect, test as base } from '../support/test'
import { DESK, PHONE } from '../support/visit'

const FOLDER = process.env.DIVISI_SCREENSHOTS ?? join(FAILURES, 'screenshots')

/** What may be committed, in bytes. */
const BYTES_MAX = 150_000

const test = base.extend<{ parallel: number }>({ parallel: FLEET_PARALLEL })

test('pictures of every screen', async ({ daemon, visits }) => {
  mkdirSync(FOLDER, { recursive: true })
  const fleet = await stage(daemon)
  for (const size of [DESK, PHONE]) {
    const visit = await visits(size)
    for (const screen of SCREENS.filter((one) => one.pictured)) {
      await show(visit, screen, fleet)
      for (const colorScheme of ['light', 'dark'] as const) {
        await visit.page.emulateMedia({ colorScheme })
        const path = join(FOLDER, `${screen.name}-${size.name}-${colorScheme}.png`)
        await visit.page.screenshot({ path, animations: 'disabled', caret: 'hide' })
        expect(statSync(path).size, path).toBeLessThan(BYTES_MAX)
      }
    }
  }
})

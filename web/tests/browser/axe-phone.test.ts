/** Every screen on a phone, light and dark: no serious finding of axe, nothing wider than the screen. */
import { FLEET_PARALLEL, stage } from './support/fleet'
import { problems } from './support/screens'
import { expect, test as base } from './support/test'

const test = base.extend<{ parallel: number }>({ parallel: FLEET_PARALLEL })

test('no screen keeps anybody out on a phone', async ({ daemon, phone }) => {
  expect(await problems(phone, await stage(daemon))).toEqual([])
})

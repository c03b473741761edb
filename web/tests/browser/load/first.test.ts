/** The script that has to come before the board can be used. */
import { note } from '../support/figures'
import { firstLoad } from '../support/weight'
import { test } from '../support/test'

test('the first load', async ({ desk }) => {
  const bytes = await firstLoad(desk)
  note('first_load_kb', [bytes / 1000])
})

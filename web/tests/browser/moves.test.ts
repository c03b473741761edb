/** Cards are dragged to start them or to say which goes first, by touch the menu does the same, and no drag moves a state. */
import type { Locator } from 'playwright-core'

import type { Daemon } from './support/daemon'
import { expect, test as base } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

/** One attempt at a time, so that the others wait in a line. */
const test = base.extend<{ parallel: number }>({ parallel: 1 })

/** Six tasks: t1 at work, t2 to t4 waiting behind it, t5 staged, and t6 done. */
async function queue(daemon: Daemon): Promise<void> {
  const repository = daemon.repository()
  const done = await daemon.give(repository, 'hang', { title: 'Was stopped' })
  await daemon.until(done.handle, 'working')
  await daemon.post(`/v1/tasks/${done.handle}/stop`)
  await daemon.until(done.handle, 'done')
  const first = await daemon.give(repository, 'hang', { title: 'Takes the only place' })
  await daemon.until(first.handle, 'working')
  for (const title of ['One', 'Two', 'Three']) await daemon.give(repository, 'hang', { title })
  await daemon.give(repository, 'hang', { title: 'Staged', stage: true })
}

const card = (visit: Visit, title: string): Locator =>
  visit.page.getByRole('article').filter({ has: visit.page.getByRole('link', { name: title }) })

/** Waits until the backlog shows these titles in this order. */
async function shows(visit: Visit, ...titles: string[]): Promise<void> {
  const links = visit.column('backlog').getByRole('article').getByRole('link')
  await until(`the backlog is ${titles.join(', ')}`, async () => {
    const found = (await links.allInnerTexts()).map((text) => text.replace(/^t\d+\s+/, ''))
    if (found.join() === titles.join()) return true
    throw new Error(`it is ${found.join(', ')}`)
  })
}

test('cards are dragged at a desk, and never into a state', async ({ desk, daemon }) => {
  await queue(daemon)
  await desk.open('/')
  await shows(desk, 'One', 'Two', 'Three', 'Staged')
  // By the title, where a hand takes hold of a card; it is a link.
  await card(desk, 'Three').getByRole('link').dragTo(card(desk, 'One'))
  await shows(desk, 'Three', 'One', 'Two', 'Staged')
  await card(desk, 'Three').locator('.status').dragTo(desk.column('backlog').getByRole('heading'))
  await shows(desk, 'One', 'Two', 'Three', 'Staged')

  const why = desk.page.getByText('The columns follow from what happened.')
  await card(desk, 'One').dragTo(desk.column('done'))
  await desk.sees(why)
  await card(desk, 'Was stopped').dragTo(desk.column('ready_to_land'))
  await until('it is said once more', async () => (await why.count()) === 2)
  await desk.sees(desk.column('done').getByText('Was stopped'))
  await shows(desk, 'One', 'Two', 'Three', 'Staged')
  expect(desk.page.url(), 'nothing was opened').toBe(`${desk.origin}/`)

  await card(desk, 'Staged').dragTo(desk.column('working'))
  await until(
    'it is started',
    async () => !((await daemon.task('t6')) as unknown as { staged: boolean }).staged,
  )
})

test('the menu does the same by touch', async ({ phone, daemon }) => {
  await queue(daemon)
  await phone.open('/')
  const tab = (name: string) =>
    phone.page.getByRole('group', { name: 'Columns' }).getByRole('button', { name })
  await tab('Backlog').tap()
  await shows(phone, 'One', 'Two', 'Three', 'Staged')
  const choose = async (title: string, verb: string) => {
    await card(phone, title)
      .getByRole('button', { name: /^What can be done/ })
      .tap()
    await phone.page.getByRole('menuitem', { name: new RegExp(`^${verb}`) }).tap()
  }
  await choose('Three', 'Move to the top')
  await shows(phone, 'Three', 'One', 'Two', 'Staged')
  await choose('Two', 'Move before t3')
  await shows(phone, 'Three', 'Two', 'One', 'Staged')
  await choose('Three', 'Move to the end')
  await shows(phone, 'Two', 'One', 'Three', 'Staged')
  await phone.page.getByRole('button', { name: 'Move back' }).last().tap()
  await shows(phone, 'Three', 'Two', 'One', 'Staged')
  await choose('Staged', 'Start')
  await until(
    'it is started',
    async () => !((await daemon.task('t6')) as unknown as { staged: boolean }).staged,
  )
  expect(await phone.overflows()).toBe(0)
})

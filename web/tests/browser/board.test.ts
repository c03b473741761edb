/** The board tells the truth by itself: a task goes through its columns without a reload. */
import type { Daemon } from './support/daemon'
import { waitsFor } from './support/fleet'
import { describe, expect, test as base } from './support/test'
import { until } from './support/until'
import { COLUMNS, type Visit } from './support/visit'

/** One attempt at a time, so that a second task has to wait. */
const test = base.extend<{ parallel: number }>({ parallel: 1 })

const ROAD = `
ask edit "Mend calc.py"
  allowed
    edit calc.py replace "a - b" with "a + b"
    say "The sign was turned round."
`

describe('a task goes through its columns live', () => {
  test('at a desk', async ({ desk, daemon }) => road(desk, daemon.repository().path))
  test('on a phone', async ({ phone, daemon }) => road(phone, daemon.repository().path))
})

async function road(visit: Visit, root: string): Promise<void> {
  const { daemon, page } = visit
  await visit.open('/')
  await page.evaluate(() => Object.assign(window, { theSame: true }))
  const repository = { path: root }
  const first = await daemon.give(repository, 'hang', { title: 'Takes the only place' })
  await stands(visit, 'Takes the only place', 'working')
  const task = await daemon.give(repository, ROAD, {
    title: 'Mend the sum',
    checks: ['python3 test_calc.py'],
  })
  await stands(visit, 'Mend the sum', 'backlog')
  await daemon.post(`/v1/tasks/${first.handle}/stop`)
  await waitsFor(daemon, task, 'permission')
  await stands(visit, 'Mend the sum', 'needs_you')
  await daemon.post(`/v1/inbox/${task.handle}/answer`, { answer: 'approved' })
  await stands(visit, 'Mend the sum', 'in_review')
  await daemon.post(`/v1/tasks/${task.handle}/review`, { verdict: 'approved' })
  await stands(visit, 'Mend the sum', 'ready_to_land')
  await daemon.post(`/v1/tasks/${task.handle}/land`)
  await stands(visit, 'Mend the sum', 'done')
  expect(await page.evaluate(() => 'theSame' in window), 'the page was never loaded again').toBe(true)
  expect(await visit.overflows(), 'nothing is wider than the screen').toBe(0)
}

/** Waits until a card stands in a column, and sees that it stands nowhere else. */
async function stands(visit: Visit, title: string, attention: string): Promise<void> {
  if (visit.size.touch) {
    const tab = visit.page
      .getByRole('group', { name: 'Columns' })
      .getByRole('button', { name: COLUMNS[attention]! })
    await tab.tap()
  }
  await visit.sees(visit.column(attention).getByRole('article').filter({ hasText: title }))
  const cards = visit.page.getByRole('main').locator('article', { hasText: title })
  await until(`${title} is shown once`, async () => (await cards.count()) === 1)
}

test('what is done with several is done with each', async ({ desk, daemon }) => {
  const repository = daemon.repository()
  for (const title of ['One', 'Two']) {
    const task = await daemon.give(repository, 'hang', { title })
    await daemon.post(`/v1/tasks/${task.handle}/stop`)
    await daemon.until(task.handle, 'done')
  }
  await desk.open('/')
  await desk.sees(desk.column('done').getByText('Two'))
  for (const handle of ['t1', 't2']) await desk.page.getByLabel(`Choose ${handle}`).check({ force: true })
  await desk.page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).click()
  await until('both are archived', async () => (await desk.column('done').getByRole('article').count()) === 0)
  const tasks = await daemon.get<{ archived: boolean }[]>('/v1/tasks')
  expect(tasks.map((task) => task.archived)).toEqual([true, true])
  // It is said once, and one key takes back all of it.
  await desk.sees(desk.page.getByRole('status').getByText('2 tasks: archived'))
  await desk.press('Control+z')
  await until('both are back', async () => (await desk.column('done').getByRole('article').count()) === 2)
})

/** Three stopped tasks: One, Two and Three. */
async function stopThree(daemon: Daemon): Promise<void> {
  const repository = daemon.repository()
  for (const title of ['One', 'Two', 'Three']) {
    const task = await daemon.give(repository, 'hang', { title })
    await daemon.post(`/v1/tasks/${task.handle}/stop`)
    await daemon.until(task.handle, 'done')
  }
}

const archivedOf = async (daemon: Daemon) =>
  (await daemon.get<{ handle: string; archived: boolean }[]>('/v1/tasks'))
    .filter((task) => task.archived)
    .map((task) => task.handle)

test('what is chosen and hidden by the filter is left alone; keys mean what is chosen', async ({
  desk,
  daemon,
}) => {
  await stopThree(daemon)
  await desk.open('/')
  const done = desk.column('done')
  await desk.sees(done.getByText('Three'))
  // The newest stands first: a range by keys from there over all three.
  await desk.press('j', 'x', 'j', 'j', 'Shift+X')
  const bulk = desk.page.getByRole('toolbar')
  await desk.sees(bulk.getByText('3 tasks chosen'))
  await desk.press('/')
  await desk.page.keyboard.type('two')
  await desk.sees(bulk.getByText('2 chosen tasks not shown here: left alone.'))
  await desk.press('Tab', 'Shift+A')
  await until('the one that is seen is archived', async () => (await archivedOf(daemon)).length > 0)
  expect(await archivedOf(daemon)).toEqual(['t2'])

  // The filter stands in the address, and is there again when one comes back.
  expect(new URL(desk.page.url()).search).toBe('?q=two')
  await desk.sees(desk.page.getByText('No task fits the filter.'))
  await desk.press('g', 'f')
  await desk.at('/fleet')
  await desk.press('g', 'b')
  await desk.at('/')
  await desk.sees(desk.page.getByText('No task fits the filter.'))
  await desk.page.getByRole('button', { name: 'Clear the filter' }).click()
  await desk.sees(done.getByText('Three'))
  await desk.page.getByRole('button', { name: 'Archived' }).click()
  await desk.sees(desk.column('Archived').getByText('Two'))
})

test('on a phone several are chosen, filtered and archived', async ({ phone, daemon }) => {
  const { page } = phone
  await stopThree(daemon)
  await phone.open('/?column=done')
  await phone.sees(phone.column('done').getByText('Three'))
  await page.getByRole('button', { name: 'What the board shows' }).tap()
  await page.getByRole('menuitemradio', { name: 'Choose several' }).tap()
  for (const handle of ['t1', 't3']) await page.getByLabel(`Choose ${handle}`).tap()
  await page.getByLabel('Filter tasks').fill('three')
  await phone.sees(page.getByText('1 chosen task not shown here: left alone.'))
  expect(await phone.overflows()).toBe(0)
  await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).tap()
  await until('the one that is seen is archived', async () => (await archivedOf(daemon)).length > 0)
  expect(await archivedOf(daemon)).toEqual(['t3'])
  await page.getByRole('button', { name: 'Restore' }).tap()
  await until('it is back', async () => (await archivedOf(daemon)).length === 0)
})

test('a permission is allowed on its card, and the card says what it is about', async ({ desk, daemon }) => {
  const task = await daemon.give(daemon.repository(), 'ask delete "Delete calc.py?"', { title: 'Tidy up' })
  await waitsFor(daemon, task, 'permission')
  await desk.open('/')
  const card = desk.column('needs_you').getByRole('article')
  await desk.sees(card.getByText('Delete calc.py?'))
  await card.getByRole('button', { name: /^Allow/ }).click()
  await until('it is answered', async () =>
    (await daemon.task(task.handle)).items.every((item) => item.answered != null),
  )
})

test('the menu of a card at a desk does what it says', async ({ desk, daemon }) => {
  const task = await daemon.give(daemon.repository(), 'hang', { title: 'Works on' })
  await daemon.until(task.handle, 'working')
  await desk.open('/')
  const card = desk.column('working').getByRole('article')
  await card.hover()
  await card.getByRole('button', { name: `What can be done with ${task.handle}` }).click()
  await desk.sees(desk.page.getByRole('menuitem', { name: 'Open' }))
  await desk.page.getByRole('menuitem', { name: /^Stop/ }).click()
  await daemon.until(task.handle, 'done')
})

/** Everything by keys alone: from the board to a landed task, and through the palette. */
import { expect, test } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

test('from the board through task and review to landed', async ({ desk, daemon }) => {
  const repository = daemon.repository()
  const task = await daemon.give(repository, 'edit calc.py replace "a - b" with "a + b"', {
    title: 'Mend the sum',
    checks: ['python3 test_calc.py'],
  })
  await daemon.until(task.handle, 'in_review')
  await desk.open('/')
  await desk.sees(desk.column('in_review').getByText('Mend the sum'))
  await desk.press('j')
  await desk.sees(desk.page.locator('article a:focus'))
  await desk.press('o')
  await desk.at(`/tasks/${task.handle}`)
  await desk.press('g', 'b')
  await desk.at('/')
  await desk.press('.')
  await desk.sees(desk.page.locator('article a:focus'))
  await desk.press('r')
  await desk.at(`/review/${task.handle}`)
  await desk.sees(desk.page.getByRole('region', { name: 'Changes' }).getByText('return a + b'))
  await desk.sees(desk.page.getByRole('button', { name: /^Approve/ }))
  await desk.press('a')
  await daemon.until(task.handle, 'ready_to_land')
  await desk.sees(desk.page.getByRole('button', { name: /^Land/ }))
  await desk.press('l')
  await daemon.until(task.handle, 'done')
  expect(repository.git('show', 'main:calc.py')).toContain('return a + b')
  await desk.press('g', 'b')
  await desk.sees(desk.column('done').getByText('Mend the sum'))
})

test('the palette finds a task and a screen', async ({ desk, daemon }) => {
  const task = await daemon.give(daemon.repository(), 'hang', { title: 'Count the sheep' })
  await desk.open('/')
  await desk.sees(desk.column('working').getByText('Count the sheep'))
  await desk.press('Control+k')
  await desk.page.keyboard.type('sheep')
  await desk.sees(desk.page.getByRole('option', { selected: true }).filter({ hasText: 'Count the sheep' }))
  await desk.press('Enter')
  await desk.at(`/tasks/${task.handle}`)
  await desk.press('Control+k')
  await desk.page.keyboard.type('inbox')
  await desk.press('Enter')
  await desk.at('/inbox')
  await desk.page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('the help sheet lists the keys of the screen', async ({ desk }) => {
  await desk.open('/')
  await desk.press('?')
  const sheet = await desk.sees(desk.page.getByRole('dialog', { name: 'Keys' }))
  expect(await sheet.innerText()).toContain('Go to Inbox')
  await desk.press('Escape')
  await desk.page.getByRole('dialog').waitFor({ state: 'hidden' })
})

test('the palette does something with a task from any screen, and finds archived ones and settings', async ({
  desk,
  phone,
  daemon,
}) => {
  const task = await daemon.give(daemon.repository(), 'hang', { title: 'Count the sheep' })
  await daemon.post(`/v1/tasks/${task.handle}/stop`)
  await daemon.until(task.handle, 'done')
  const choose = async (visit: Visit, words: string, option: string | RegExp) => {
    await visit.page.getByRole('button', { name: 'Commands and tasks' }).click()
    await visit.page.keyboard.type(words)
    const selected = visit.page.getByRole('option', { selected: true })
    await visit.sees(selected.filter({ hasText: option }))
    await visit.press('Enter')
  }
  await desk.open('/fleet')
  await choose(desk, 'archive sheep', 'Archive t1 Count the sheep')
  await until(
    'it is archived',
    async () => (await daemon.get<{ archived: boolean }>('/v1/tasks/t1')).archived,
  )
  await phone.open('/fleet')
  await choose(phone, 't1 sheep', 'archived')
  await phone.at('/tasks/t1')
  await choose(phone, 'settings keys', 'Settings: Keys')
  await phone.at('/settings/keys')
  expect(await phone.overflows()).toBe(0)
})

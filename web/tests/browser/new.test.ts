/** A new task by hand: written, kept while it is written, staged, changed, started; and several from a pasted list. */
import { expect, test as base } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

const test = base

/** As much of a task as these tests look at. */
interface Wanted {
  handle: string
  title: string
  prompt: string
  staged: boolean
  criteria: { text: string; command: string | null }[]
  agents: string[]
  scope: string[]
  budget: string | null
  status: { attention: string; state: string }
}

const SCRIPT = '```rehearsal\nedit calc.py replace "a - b" with "a + b"\nsay "Done."\n```'

for (const size of ['desk', 'phone'] as const) {
  test(`a task is written, staged, changed and started (${size})`, async ({
    visits,
    desk,
    phone,
    daemon,
  }) => {
    void visits
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    const root = daemon.repository().path
    await daemon.post('/v1/projects', { root })
    await visit.open('/new')
    const prompt = page.getByRole('combobox', { name: 'What is wanted' })
    await prompt.fill(`Mend the sum, see `)
    await prompt.press('End')
    await prompt.pressSequentially('@cal')
    await visit.sees(page.getByRole('option', { name: 'calc.py', exact: true }))
    await prompt.press('Enter')
    await until('the path is completed', async () => (await prompt.inputValue()).includes('@calc.py '))

    await page.getByRole('button', { name: 'Add a criterion' }).click()
    await page.getByLabel('What must hold, criterion 1').fill('the sum is right')
    await page.getByLabel('The command that proves criterion 1').fill('python3 test_calc.py')
    await page.getByRole('button', { name: 'Add a criterion' }).click()
    await page.getByLabel('What must hold, criterion 2').fill('it reads well')
    await page.getByLabel('How criterion 2 is checked').selectOption('person')
    await page.getByLabel('Rehearsal').check()
    await page.getByLabel(/^Budget/).fill('2.50')
    await page.getByLabel(/^Scope/).fill('calc.py')
    expect(await visit.overflows(), 'nothing is wider than the screen').toBe(0)

    // What is being written survives the page.
    await page.reload()
    await until('the draft is there again', async () => (await prompt.inputValue()).includes('Mend the sum'))
    await page.getByRole('button', { name: /^Stage/ }).click()
    await visit.at('/')
    const staged = await daemon.get<Wanted>('/v1/tasks/t1')
    expect(staged).toMatchObject({ staged: true, agents: ['rehearsal'], scope: ['calc.py'], budget: '$2.50' })
    expect(staged.criteria.map((one) => one.command)).toEqual(['python3 test_calc.py', null])

    await visit.open('/new?edit=t1')
    await until('the task is there to be changed', async () =>
      (await prompt.inputValue()).includes('Mend the sum'),
    )
    await prompt.fill(`Mend the sum\n\n${SCRIPT}`)
    await page.getByLabel(/^Permissions/).selectOption('all')
    await page.getByRole('button', { name: /^Save and start/ }).click()
    await visit.at('/')
    const started = await until('the person is asked to judge', async () => {
      const task = await daemon.get<Wanted>('/v1/tasks/t1')
      return task.status.state === 'waiting for judgement' && task
    })
    expect(started).toMatchObject({ staged: false, budget: '$2.50' })

    await visit.open('/new')
    await visit.sees(page.getByRole('heading', { name: 'New task' }))
    expect(await prompt.inputValue(), 'the draft was given out').toBe('')
  })
}

test('a pasted list becomes tasks, seen before anything is given out', async ({ desk, daemon }) => {
  const { page } = desk
  await daemon.post('/v1/projects', { root: daemon.repository().path })
  await desk.open('/new')
  const prompt = page.getByRole('combobox', { name: 'What is wanted' })
  await prompt.focus()
  await page.evaluate(() => {
    const data = new DataTransfer()
    data.setData('text/plain', '- One\n  and more\n- Two\n- Three')
    const field = document.activeElement as HTMLTextAreaElement
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))
    field.value = data.getData('text/plain')
    field.dispatchEvent(new InputEvent('input', { bubbles: true }))
  })
  await desk.sees(page.getByRole('heading', { name: '3 tasks' }))
  await page.getByLabel('Rehearsal').check()
  await desk.press('Control+Shift+Enter')
  await desk.at('/')
  const tasks = await until('all three are staged', async () => {
    const tasks = await daemon.get<Wanted[]>('/v1/tasks')
    return tasks.length === 3 && tasks
  })
  expect(tasks.map((task) => task.title)).toEqual(['One', 'Two', 'Three'])
  expect(await seen(desk)).toBe(3)
})

/** How many cards the backlog shows. */
async function seen(visit: Visit): Promise<number> {
  const cards = visit.column('backlog').getByRole('article')
  await visit.sees(cards.nth(2))
  return cards.count()
}

for (const size of ['desk', 'phone'] as const) {
  test(`the first project is added where the first task is given out (${size})`, async ({
    desk,
    phone,
    daemon,
  }) => {
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    const root = daemon.repository().path
    // The first folder is in no repository, and the daemon says so. A test's own folders may lie in one.
    visit.excuse(/404/)
    await visit.open('/')
    await page.getByRole('link', { name: 'Give out the first task' }).click()
    const folder = page.getByLabel('Folder of a git repository')
    await folder.fill('/')
    await folder.press('Enter')
    await visit.sees(page.getByRole('status').getByText(/git/))
    await folder.fill(root)
    await page.getByRole('button', { name: 'Add the project' }).click()
    await visit.sees(page.getByRole('combobox', { name: 'What is wanted' }))
    expect(await visit.overflows()).toBe(0)
    expect((await daemon.get<{ root: string }[]>('/v1/projects')).map((one) => one.root)).toEqual([root])
  })
}

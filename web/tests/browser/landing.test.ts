/** Landing: several in their order, what did not land and why, and the way back. */
import type { Daemon } from './support/daemon'
import { expect, test } from './support/test'
import { until } from './support/until'

/** Two approved results that do not touch each other. */
async function approvedTwo(daemon: Daemon): Promise<void> {
  const repository = daemon.repository()
  for (const name of ['one', 'two']) {
    const task = await daemon.give(repository, `write ${name}.txt "${name}"`, {
      title: `Write ${name}`,
      checks: ['true'],
      permissions: 'all',
    })
    await daemon.until(task.handle, 'in_review')
    await daemon.post(`/v1/tasks/${task.handle}/review`, { verdict: 'approved' })
  }
}

test('two land in the order that was chosen, and the last is taken back', async ({ desk, daemon }) => {
  const { page } = desk
  await approvedTwo(daemon)
  await desk.open('/landing')
  const ready = page.getByRole('region', { name: 'Ready to land' })
  await desk.sees(ready.getByText('Write two'))
  // The second first.
  await ready.getByLabel('Choose t2').check()
  await ready.getByLabel('Choose t1').check()
  await ready.getByRole('button', { name: 'Land 2 results' }).click()
  const landed = page.getByRole('region', { name: 'Landed' })
  await until('both have landed', async () => (await landed.getByRole('listitem').count()) === 2)
  await until('the newest stands first', async () =>
    (await landed.getByRole('listitem').first().innerText()).includes('Write one'),
  )
  await desk.sees(landed.getByText('t1 landed after it: undo that first.'))
  await landed.getByRole('button', { name: /^Undo/ }).click()
  await desk.sees(ready.getByText('Write one'))
  await until('one is left', async () => (await landed.getByRole('listitem').count()) === 1)
})

test('nothing lands that nobody chose; rows are chosen, landed and archived by keys', async ({
  desk,
  daemon,
}) => {
  const { page } = desk
  await approvedTwo(daemon)
  await desk.open('/landing')
  const ready = page.getByRole('region', { name: 'Ready to land' })
  await desk.sees(ready.getByText('Write two'))
  await desk.press('Shift+L')
  await desk.sees(page.getByText('Nothing is chosen to land'))
  for (const handle of ['t1', 't2']) {
    expect((await daemon.task(handle)).status.attention, handle).toBe('ready_to_land')
  }
  await desk.press('j', 'j', 'x')
  expect(await ready.getByLabel('Choose t2').isChecked()).toBe(true)
  expect(await ready.getByLabel('Choose t1').isChecked()).toBe(false)
  await desk.press('Shift+L')
  await daemon.until('t2', 'done')
  await desk.sees(page.getByText('t2: landed on main'))
  await desk.sees(page.getByRole('button', { name: 'Undo landing' }))
  expect((await daemon.task('t1')).status.attention, 'the other stays').toBe('ready_to_land')
  const landed = page.getByRole('region', { name: 'Landed' })
  await desk.sees(landed.getByText('Write two'))
  await desk.press('j', 'Shift+A')
  await desk.sees(landed.getByText('; archived'))
  expect((await daemon.get<{ archived: boolean }>('/v1/tasks/t2')).archived).toBe(true)
})

test('on a phone two land in the order that was chosen, the last is taken back, the first archived', async ({
  phone,
  daemon,
}) => {
  const { page } = phone
  await approvedTwo(daemon)
  await phone.open('/landing')
  const ready = page.getByRole('region', { name: 'Ready to land' })
  await ready.getByLabel('Choose t2').tap()
  await ready.getByLabel('Choose t1').tap()
  await ready.getByRole('button', { name: 'Land 2 results' }).tap()
  const landed = page.getByRole('region', { name: 'Landed' })
  await until('both have landed', async () => (await landed.getByRole('listitem').count()) === 2)
  await landed.getByRole('button', { name: /^Undo/ }).tap()
  await phone.sees(ready.getByText('Write one'))
  await landed.getByRole('button', { name: 'Archive t2' }).tap()
  await phone.sees(landed.getByText('; archived'))
  expect(await phone.overflows()).toBe(0)
})

test('a conflict is shown with its files and lines', async ({ phone, daemon }) => {
  const repository = daemon.repository()
  const titles = ['Left', 'Right']
  for (const [index, title] of titles.entries()) {
    const script = `edit calc.py replace "a - b" with "a + b + ${index}"\n\nwhen prompt contains "conflicts"\nhang`
    const task = await daemon.give(repository, script, { title, permissions: 'all' })
    await daemon.until(task.handle, 'in_review')
    await daemon.post(`/v1/tasks/${task.handle}/review`, { verdict: 'approved' })
  }
  await daemon.post('/v1/landings', { handles: ['t1', 't2'] })
  await phone.open('/landing')
  const failed = phone.page.getByRole('region', { name: 'Did not land' })
  await phone.sees(failed.getByText('conflict in calc.py'))
  await failed.getByRole('button', { name: 'Show the conflicting lines' }).tap()
  const lines = phone.page.getByRole('dialog')
  await phone.sees(lines.getByText('<<<<<<<'))
  await phone.sees(lines.getByText('return a + b + 1'))
  expect(await phone.overflows()).toBe(0)
})

test('of three that land together the one that breaks the combination is named', async ({
  desk,
  phone,
  daemon,
}) => {
  const repository = daemon.repository('sample', {
    'calc.py': 'def add(a, b):\n    return a + b\n',
    'divisi.toml':
      '[[gates]]\nname = "sums"\ncommand = "for one in *_test.py; do python3 $one || exit 1; done"\n',
    'sums_test.py': 'import calc\n\nassert calc.add(2, 2) == 4, "two and two make four"\n',
  })
  const scripts = {
    // Each passes by itself: the first gives the function another name, the second uses the old one.
    'Rename it':
      'edit calc.py replace "def add" with "def plus"\nedit sums_test.py replace "calc.add" with "calc.plus"',
    'Use it twice': 'write twice_test.py "import calc\\n\\nassert calc.add(1, 1) == 2\\n"',
    'Say what it is': 'write README.md "Sums.\\n"',
  }
  for (const [title, script] of Object.entries(scripts)) {
    const task = await daemon.give(repository, `${script}\n\nwhen prompt contains "landed meanwhile"\nhang`, {
      title,
      permissions: 'all',
    })
    await daemon.until(task.handle, 'in_review')
    await daemon.post(`/v1/tasks/${task.handle}/review`, { verdict: 'approved' })
  }
  await daemon.post('/v1/landings', { handles: ['t1', 't2', 't3'] })
  await Promise.all(['t1', 't3'].map((handle) => daemon.until(handle, 'done')))
  for (const visit of [desk, phone]) {
    await visit.open('/landing')
    const failed = visit.page.getByRole('region', { name: 'Did not land' })
    const culprit = failed.getByRole('article')
    await visit.sees(culprit.getByText('sums failed on the combination'))
    expect(await culprit.count(), 'it alone').toBe(1)
    expect(await culprit.getAttribute('aria-label')).toContain('Use it twice')
    await culprit.getByRole('button', { name: 'Log' }).click()
    await visit.sees(visit.page.getByRole('dialog').getByText(/no attribute 'add'/))
    await visit.press('Escape')
    await visit.open('/tasks/t2')
    const link = visit.page.getByRole('link', { name: 'Its log' })
    const href = await link.getAttribute('href')
    const log = await visit.page.evaluate(async (at) => (await fetch(at)).text(), href!)
    expect(log).toContain("no attribute 'add'")
    await visit.open('/landing')
    const landed = visit.page.getByRole('region', { name: 'Landed' }).getByRole('listitem')
    await until('two are told to have landed', async () => (await landed.count()) === 2)
    expect(await visit.overflows()).toBe(0)
  }
})

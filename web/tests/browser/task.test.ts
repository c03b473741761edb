/** One task: its transcript, words for its agent, what waits, its snapshots and the way back. */
import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

const ASKS = `
think The sign is turned round.
plan
  [x] read the code
  [ ] mend it
say I read **calc.py**, see [the manual](https://docs.example.org/a).
ask edit "Mend calc.py"
  allowed
    edit calc.py replace "a - b" with "a + b"
    say The sum is right now.
turn
say And once more.
`

test('what an agent does is read, answered and followed up in place', async ({ desk }) => {
  await conversation(desk)
})

test('the same on a phone', async ({ phone }) => {
  await conversation(phone)
})

async function conversation(visit: Visit): Promise<void> {
  const { daemon, page } = visit
  const task = await daemon.give(daemon.repository(), ASKS, { title: 'Mend the sum' })
  await waitsFor(daemon, task, 'permission')
  await visit.open(`/tasks/${task.handle}`)
  const transcript = page.getByRole('log', { name: /^Transcript/ })
  await visit.sees(transcript.getByText('docs.example.org', { exact: false }))
  expect(await transcript.getByRole('link').count(), 'a link leads nowhere by itself').toBe(0)
  await visit.sees(transcript.getByText('1 of 2'))
  const waits = page.getByRole('region', { name: 'Waits for you' })
  await waits
    .getByRole('button', { name: /^Allow/ })
    .first()
    .click()
  await visit.sees(transcript.getByText('The sum is right now.'))
  await waits.waitFor({ state: 'detached' })
  await daemon.until(task.handle, 'in_review')
  await visit.sees(transcript.getByText('the agent is done'))

  const words = page.getByRole('textbox', { name: 'Words for the agent' })
  await words.fill('Once more, please')
  await words.press('Control+Enter')
  await visit.sees(transcript.getByText('Once more, please'))
  await visit.sees(transcript.getByText('And once more.'))
  expect(await words.inputValue()).toBe('')
  expect(await visit.overflows()).toBe(0)
}

for (const size of [DESK, PHONE])
  test(`a message that waits is changed and taken back (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const task = await daemon.give(daemon.repository(), 'say "I begin."\nhang', { title: 'Hangs' })
    await visit.open(`/tasks/${task.handle}`)
    const { page } = visit
    await visit.sees(page.getByText('I begin.'))
    const words = page.getByRole('textbox', { name: 'Words for the agent' })
    await visit.sees(page.getByRole('radio', { name: 'Interrupt' }))
    for (const text of ['First', 'Second']) {
      await words.fill(text)
      await words.press('Control+Enter')
      await visit.sees(page.getByRole('listitem').filter({ hasText: text }))
    }
    await page
      .getByRole('listitem')
      .filter({ hasText: 'First' })
      .getByRole('button', { name: 'Edit' })
      .click()
    await until('the words are back', async () => (await words.inputValue()) === 'First')
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Second' })
      .getByRole('button', { name: 'Take back' })
      .click()
    await page.getByText(/for the agent$/).waitFor({ state: 'detached' })
    const queue = (await daemon.task(task.handle)) as unknown as { attempts: { queue: unknown[] }[] }
    expect(queue.attempts[0]!.queue).toEqual([])
  })

test('what waits is answered on the task by keys, and a budget that is used up is raised there', async ({
  desk,
  phone,
  daemon,
}) => {
  const { page } = desk
  const repository = daemon.repository()
  const asked = await daemon.give(repository, ASKS, { title: 'Mend the sum' })
  await waitsFor(daemon, asked, 'permission')
  await desk.open(`/tasks/${asked.handle}`)
  const waits = (visit: Visit) => visit.page.getByRole('region', { name: 'Waits for you' })
  await desk.sees(waits(desk).getByRole('button', { name: /^Allow/ }))
  await desk.press('a', '1')
  await desk.sees(page.getByText('The sum is right now.'))
  await waits(desk).waitFor({ state: 'detached' })

  const spends =
    'write one.txt "one"\nusage input 1200 output 80 cost 0.0255\nhang\nturn\nwrite two.txt "two"'
  for (const title of ['By a key', 'By touch']) {
    const task = await daemon.give(repository, spends, { title, permissions: 'all', budget: '0.02' })
    await daemon.until(task.handle, 'needs_you')
  }
  await desk.open('/tasks/t2')
  await desk.sees(waits(desk).getByRole('button', { name: /^Raise to \$0\.05/ }))
  await desk.press('a', '1')
  await daemon.until('t2', 'in_review')
  await phone.open('/tasks/t3')
  expect(await phone.overflows()).toBe(0)
  await waits(phone).getByLabel('Another budget, in all').fill('0.5')
  await waits(phone).getByRole('button', { name: 'Go on with it' }).tap()
  await daemon.until('t3', 'in_review')
})

test('the plan stays in sight, and an entry has an address', async ({ desk, phone, daemon }) => {
  const script =
    'plan\n  [x] look\n  [>] mend it\n  [ ] test it\nsay The first word.\nrepeat 400\n  say A line of talk.\n  think A thought.\nsay The very end.\nhang'
  const task = await daemon.give(daemon.repository(), script, { title: 'Talks' })
  const first = (visit: Visit) => visit.page.locator('.entry', { hasText: 'The first word.' }).last()
  for (const visit of [desk, phone]) {
    await visit.open(`/tasks/${task.handle}`)
    await visit.sees(visit.page.locator('[aria-label=Entries]').getByText('The very end.'))
    await until('the beginning is loaded', async () => {
      await visit.page.locator('[aria-label=Entries]').evaluate((element) => (element.scrollTop = 0))
      const newest = visit.page.getByRole('button', { name: /newest/ })
      return (await first(visit).count()) > 0 && (await newest.isVisible())
    })
    const plan = visit.page.getByRole('group', { name: 'Plan', exact: true })
    await visit.sees(plan.getByText('1 of 3'))
    await visit.sees(plan.getByText('mend it').first())
  }
  // A list that has just been opened may still be finding its end, and goes there again.
  await until('the first entry is put into the address', async () => {
    await desk.page.locator('[aria-label=Entries]').evaluate((element) => (element.scrollTop = 0))
    if ((await first(desk).count()) === 0) return false
    const button = first(desk).getByRole('button', { name: 'Put this entry into the address' })
    return first(desk)
      .hover({ timeout: 1_000 })
      .then(() => button.click({ timeout: 1_000 }))
      .then(
        () => true,
        () => false,
      )
  })
  const address = await until('the address names the entry', () => new URL(desk.page.url()).hash || false)
  expect(address).toMatch(/^#entry-\d+\.\d+$/)
  await phone.open(`/tasks/${task.handle}${address}`)
  await phone.sees(phone.page.locator('.entry.target', { hasText: 'The first word.' }))
})

for (const size of [DESK, PHONE])
  test(`a large change is looked at piece by piece (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const { page } = visit
    const script =
      'run seq 1 3000 > a-large.txt; mkdir many; for n in $(seq 1 150); do echo $n > many/$n.txt; done'
    const task = await daemon.give(daemon.repository(), script, { title: 'Large', permissions: 'all' })
    await daemon.until(task.handle, 'in_review')
    await visit.open(`/tasks/${task.handle}/changes`)
    await visit.sees(page.getByText('151 files'))
    const drawn = () => page.locator('main pre > .added').count()
    await until('the first lines of the first file', async () => (await drawn()) === 500)
    expect(await page.getByRole('main').locator('details').count(), 'not all files at once').toBe(100)
    await page.getByRole('button', { name: 'Show more, 2,500 lines are left' }).click()
    await until('as many again', async () => (await drawn()) === 1000)
    await page.getByRole('button', { name: 'Show more, 51 files are left' }).click()
    await until('all files', async () => (await page.locator('main details').count()) === 151)
    await page.locator('summary', { hasText: 'many/99.txt' }).click()
    await visit.sees(page.locator('details[open] pre', { hasText: '99' }).last())
    expect(await visit.overflows()).toBe(0)
  })

for (const size of [DESK, PHONE])
  test(`a transcript is narrowed to what failed (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const { page } = visit
    const script = 'say Some words.\nrun false\nrun true'
    const task = await daemon.give(daemon.repository(), script, { title: 'Fails', permissions: 'all' })
    await visit.open(`/tasks/${task.handle}`)
    const transcript = page.getByRole('log', { name: /^Transcript/ })
    await visit.sees(transcript.getByText('Some words.'))
    await visit.sees(transcript.getByText('failed').first())
    await page.getByLabel('Show of the transcript').selectOption('failures')
    await transcript.getByText('Some words.').waitFor({ state: 'detached' })
    await visit.sees(transcript.getByText('false').first())
    await page.getByLabel('Show of the transcript').selectOption('words')
    await visit.sees(transcript.getByText('Some words.'))
  })

const LISTENS = `
say "I begin."
hang
when prompt contains "the other way"
say "The other way, then."
hang
when prompt contains "enough"
say "I stop here."
`

for (const size of [DESK, PHONE])
  test(`a running turn is steered and interrupted (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const { page } = visit
    const task = await daemon.give(daemon.repository(), LISTENS, { title: 'Hangs' })
    await visit.open(`/tasks/${task.handle}`)
    const transcript = page.getByRole('log', { name: /^Transcript/ })
    await visit.sees(transcript.getByText('I begin.'))
    const words = page.getByRole('textbox', { name: 'Words for the agent' })
    await page.getByRole('radio', { name: 'Steer' }).check()
    await visit.sees(page.getByText('Goes into the running turn at its next safe moment'))
    await words.fill('first this')
    await page.getByRole('button', { name: /^Steer/ }).click()
    // An agent that cannot be steered gets the words right after the turn; until then they are seen to wait.
    await visit.sees(page.getByRole('listitem').filter({ hasText: 'first this' }).getByText('steer'))
    expect(await words.inputValue()).toBe('')
    await page.getByRole('radio', { name: 'Interrupt' }).check()
    await visit.sees(page.getByText('Cancels the running turn now'))
    await words.fill('the other way')
    await page.getByRole('button', { name: /^Interrupt/ }).click()
    await visit.sees(transcript.getByText('The other way, then.'))
    await visit.sees(transcript.getByText('cancelled').first())
    await page.getByText(/for the agent$/).waitFor({ state: 'detached' })
    expect(await visit.overflows()).toBe(0)
  })

for (const size of [DESK, PHONE])
  test(`a workspace goes back to a snapshot and forth again (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const script = 'write one.txt "first\\n"\nturn\nwrite two.txt "second\\n"\nwrite one.txt "second\\n"'
    const task = await daemon.give(daemon.repository(), script, { title: 'Writes twice', permissions: 'all' })
    await daemon.until(task.handle, 'in_review')
    await daemon.post(`/v1/tasks/${task.handle}/send`, { text: 'Once more' })
    const files = async () => {
      const diff = await daemon.get<{ files: { path: string }[] }>(`/v1/tasks/${task.handle}/diff`)
      return diff.files.map((file) => file.path).join(' ')
    }
    await until('both turns are done', async () => (await files()) === 'one.txt two.txt')
    await daemon.until(task.handle, 'in_review')
    await visit.open(`/tasks/${task.handle}/snapshots`)
    const { page } = visit
    const after = (turn: number) => page.getByRole('listitem').filter({ hasText: `After turn ${turn}` })
    await visit.sees(after(2).getByText('2 files'))
    await after(1).getByRole('button', { name: 'Roll back to it' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await until('the second turn is gone from the result', async () => (await files()) === 'one.txt')
    await visit.sees(page.getByRole('listitem').filter({ hasText: 'Before a rollback' }))
    await daemon.until(task.handle, 'in_review')
    await page.getByRole('button', { name: 'Undo it' }).click()
    await until('it is back', async () => (await files()) === 'one.txt two.txt')
  })

test('a long transcript opens at its end and is read from there upwards', async ({ desk, daemon }) => {
  const script = 'repeat 400\n  say A line of talk.\n  think A thought.\nsay The very end.\nhang'
  const task = await daemon.give(daemon.repository(), script, { title: 'Talks' })
  await desk.open(`/tasks/${task.handle}`)
  const { page } = desk
  const list = page.locator('[aria-label=Entries]')
  await desk.sees(list.getByText('The very end.'))
  const newest = page.getByRole('button', { name: /newest/ })
  // Who scrolls at once, while entries are still being measured, is left there.
  await list.hover()
  await page.mouse.wheel(0, -500)
  await desk.sees(newest)
  const below = await list.evaluate(async (element) => {
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame)
    return element.scrollHeight - element.clientHeight - element.scrollTop
  })
  expect(below).toBeGreaterThan(200)
  await until('the oldest entry is reached', async () => {
    await list.evaluate((element) => (element.scrollTop = 0))
    // The list may still be on its way to its end when it is scrolled first, as a person's would; then they scroll again.
    return (await list.locator('[data-entry=prompt]').count()) > 0 && (await newest.isVisible())
  })
  await newest.click()
  await desk.sees(list.getByText('The very end.'))
})

for (const size of [DESK, PHONE])
  test(`the tabs of a task say what was proven, where it works and what it uses (${size.name})`, async ({
    visits,
    daemon,
  }) => {
    const visit = await visits(size)
    const task = await daemon.give(daemon.repository(), 'write a.txt "x"', {
      title: 'Proven',
      checks: ['test -e a.txt'],
      permissions: 'all',
      attempts: 2,
    })
    await daemon.until(task.handle, 'in_review')
    await visit.open(`/tasks/${task.handle}.1/evidence`)
    const { page } = visit
    await page
      .getByRole('button', { name: /^Log of/ })
      .first()
      .click()
    await visit.sees(page.getByRole('dialog').getByText('It printed nothing.'))
    await visit.press('Escape')
    await visit.press('5')
    await visit.at(`/tasks/${task.handle}.1/resources`)
    await visit.sees(page.getByText(/ahead, .* behind/))
    await visit.sees(page.getByText('not known: it shares the network of the machine'))
    for (const curve of ['Memory', 'Disk'])
      await visit.sees(page.getByRole('img', { name: `${curve} in the last two minutes` }))
    // Two results to choose from are held beside each other without being asked.
    const compared = page.getByRole('table', { name: /^The attempts/ })
    await visit.sees(compared)
    expect(await compared.getByRole('row').count()).toBe(3)
    await visit.sees(
      page
        .getByRole('row', { name: /^compiles/ })
        .getByText('holds')
        .first(),
    )
    expect(await visit.overflows()).toBe(0)
    await compared.getByRole('link', { name: 'against t1.2' }).click()
    await visit.at('/review/t1.1')
    await visit.sees(page.getByRole('button', { name: /^Against t1\.2 by rehearsal/ }))
    await visit.sees(page.getByText('Nothing differs here'))
    await page.goBack()
    await page.getByRole('button', { name: 'Compare' }).click()
    await compared.waitFor({ state: 'detached' })
  })

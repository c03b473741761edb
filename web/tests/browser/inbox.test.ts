/** The inbox is answered by keys alone, or by touch; the answers reach the agents, and so do the words that say why not. */
import type { Daemon, Wish } from './support/daemon'
import { waitsFor } from './support/fleet'
import { expect, test as base } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

/** As many wait at once in the longest of these tests. */
const test = base.extend<{ parallel: number }>({ parallel: 10 })

const script = (file: string) => `
ask delete "Delete ${file}"
  allowed
    delete ${file}
    say "${file} is gone."
  rejected
    say "${file} stays."
`

test('permissions are answered one after the other by keys', async ({ desk, daemon }) => {
  const repository = daemon.repository('sample', { 'one.txt': '1', 'two.txt': '2', 'three.txt': '3' })
  const tasks = []
  for (const name of ['one', 'two', 'three']) {
    const task = await daemon.give(repository, script(`${name}.txt`), { title: `Delete ${name}` })
    tasks.push(await waitsFor(daemon, task, 'permission'))
  }
  await desk.open('/inbox')
  // What is answered comes back as a review or as what cannot go on, further down.
  const items = desk.page.getByRole('main').getByRole('article', { name: /^Permission/ })
  await until('three wait', async () => (await items.count()) === 3)
  await answer(desk, '1')
  await until('the first is answered', async () => (await items.count()) === 2)
  await desk.press('j')
  const deny = desk.page
    .locator('article.current')
    .getByRole('button', { name: /Reject|Deny/ })
    .first()
  const number = await deny.locator('kbd').innerText()
  await answer(desk, number)
  await until('one is left', async () => (await items.count()) === 1)
  await desk.press('k')
  await answer(desk, '1')
  await until('none is left', async () => (await items.count()) === 0)

  const [one, two, three] = tasks.map((task) => task.handle)
  expect(await changed(daemon, one!)).toEqual(['one.txt'])
  expect(await changed(daemon, two!)).toEqual(['two.txt'])
  await until('the third agent was refused', async () => {
    const transcript = await daemon.get<unknown>(`/v1/tasks/${three}/transcript`)
    return JSON.stringify(transcript).includes('three.txt stays')
  })
})

test('ten different things are answered in a row, by keys alone', async ({ desk, daemon }) => {
  const repository = daemon.repository('sample', { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' })
  const asks = (kind: string, words: string) =>
    `ask ${kind} "${words}"\n  allowed\n    say "went on: ${words}"\n  rejected\n    say "held back: ${words}"`
  const named =
    'question "Which name?" choices Ada, Bob\n  when answer contains "Eve"\n    say "named Eve"\n  otherwise\n    say "named otherwise"'
  const scripts: [string, string][] = [
    ...['a', 'b', 'c'].map((name): [string, string] => ['permission', asks('delete', `Delete ${name}.txt`)]),
    ...['ls', 'date'].map((name): [string, string] => ['permission', asks('execute', `Run ${name}`)]),
    ['permission', asks('fetch', 'Fetch the manual')],
    ['permission', asks('edit', 'Edit a.txt')],
    ['question', named],
    ['question', named],
  ]
  for (const [kind, script] of scripts)
    await waitsFor(daemon, await daemon.give(repository, script, { title: kind }), kind)
  const wish: Wish = { title: 'Reads well', criteria: [{ text: 'it reads well' }], permissions: 'all' }
  const judged = await daemon.give(
    repository,
    'write d.txt "d"\n\nwhen prompt contains "no comments"\nhang',
    wish,
  )
  await waitsFor(daemon, judged, 'criterion')

  await desk.open('/inbox')
  const main = desk.page.getByRole('main')
  const items = main.getByRole('article', { name: /^(Permission|Question|Criterion)/ })
  await until('ten wait', async () => (await items.count()) === 10)
  expect(await main.getByRole('heading', { level: 2 }).allInnerTexts(), 'by what a yes lets happen').toEqual([
    'Wants to delete or move files 3',
    'Wants to run a command 2',
    'Wants to use the network 1',
    'Wants to change files 1',
    'An agent asks 2',
    'Does this hold? 1',
    'Proven, waiting for review 1',
  ])
  // Nobody waits between two keys for what stands on the screen; what comes up from below it is to be seen first.
  await answer(desk, '1')
  await desk.press('1', '1')
  for (let left = 7; left > 3; left -= 1) {
    await until(`${left} are left`, async () => (await items.count()) === left)
    await answer(desk, '1')
  }
  await until('two questions and a criterion are left', async () => (await items.count()) === 3)
  await answer(desk, '1')
  await until('the other question is left', async () => (await items.count()) === 2)
  await desk.press('w')
  await desk.page.keyboard.type('Eve')
  await desk.press('Enter')
  await until('the criterion is left', async () => (await items.count()) === 1)
  await answer(desk, '2')
  await desk.page.getByLabel('What is missing').waitFor()
  await desk.page.keyboard.type('no comments')
  await desk.press('Enter')
  await until('none is left', async () => (await items.count()) === 0)
  for (const [handle, words] of [
    ['t1', 'went on: Delete a.txt'],
    ['t2', 'went on: Delete b.txt'],
    ['t3', 'went on: Delete c.txt'],
    ['t4', 'went on: Run ls'],
    ['t5', 'went on: Run date'],
    ['t6', 'went on: Fetch the manual'],
    ['t7', 'went on: Edit a.txt'],
    ['t8', 'named otherwise'],
    ['t9', 'named Eve'],
    ['t10', 'no comments'],
  ] as const)
    await says(daemon, handle, words)
})

test('a key that is held down answers once', async ({ desk, daemon }) => {
  const repository = daemon.repository('sample', { 'one.txt': '1', 'two.txt': '2' })
  for (const name of ['one', 'two']) {
    const task = await daemon.give(repository, script(`${name}.txt`), { title: `Delete ${name}` })
    await waitsFor(daemon, task, 'permission')
  }
  await desk.open('/inbox')
  const items = desk.page.getByRole('main').getByRole('article', { name: /^Permission/ })
  await until('two wait', async () => (await items.count()) === 2)
  await desk.sees(desk.page.locator('article.current:not(.dim)'))
  for (let repeat = 0; repeat < 5; repeat += 1) await desk.page.keyboard.down('1')
  await until('one was answered', async () => (await items.count()) === 1)
  await desk.page.keyboard.up('1')
  expect((await daemon.task('t2')).items.some((item) => item.ask.kind === 'permission')).toBe(true)
})

for (const size of ['desk', 'phone'] as const)
  test(`a refusal says why, and the agent hears it (${size})`, async ({ visits, daemon }) => {
    const visit = await visits(size === 'desk' ? DESK : PHONE)
    const { page } = visit
    const heard = `${script('one.txt')}\nwhen prompt contains "the backup first"\nsay "The backup, then."`
    const repository = daemon.repository('sample', { 'one.txt': '1' })
    const task = await daemon.give(repository, heard, { title: 'Delete one' })
    await waitsFor(daemon, task, 'permission')
    await visit.open('/inbox')
    await page.getByRole('button', { name: 'Say why not' }).click()
    await page.getByLabel('Why not').fill('make the backup first')
    // A yes would lose the words, so it is not given.
    await page
      .getByRole('button', { name: /^Allow/ })
      .first()
      .click()
    await visit.sees(page.getByText('your words say why not'))
    // Somewhere else and back again, they are still there.
    await visit.page.getByRole('navigation').getByRole('link', { name: 'Board', exact: true }).click()
    await visit.at('/')
    await visit.page
      .getByRole('navigation')
      .getByRole('link', { name: /^Inbox/ })
      .click()
    expect(await page.getByLabel('Why not').inputValue()).toBe('make the backup first')
    expect(await visit.overflows()).toBe(0)
    await page.getByRole('button', { name: 'Deny and say why' }).click()
    await says(daemon, task.handle, 'one.txt stays.')
    await says(daemon, task.handle, 'The backup, then.')
  })

test('a question is answered in words, on a phone', async ({ phone, daemon }) => {
  const repository = daemon.repository()
  const asked = `
question "Which name?" choices Ada, Bob
  when answer contains "Eve"
    write name.txt "Eve"
  otherwise
    say "Another, then."
`
  const task = await daemon.give(repository, asked, { title: 'Name it' })
  await waitsFor(daemon, task, 'question')
  await phone.open('/inbox')
  await phone.page.getByLabel('Answer in words').fill('Eve')
  await phone.page.getByRole('button', { name: 'Answer', exact: true }).tap()
  expect(await changed(daemon, task.handle)).toEqual(['name.txt'])
})

const SPENDS = `
write one.txt "one"
usage input 1200 output 80 cost 0.0255
hang
turn
write two.txt "two"
`

test('a budget that is used up is raised from the inbox by a key, and by touch with an amount', async ({
  desk,
  phone,
  daemon,
}) => {
  const repository = daemon.repository()
  const wish = { permissions: 'all', budget: '0.02' } as const
  const titles = ['Raised by a key', 'Raised by touch', 'Stopped']
  for (const title of titles) {
    const task = await daemon.give(repository, SPENDS, { ...wish, title })
    await daemon.until(task.handle, 'needs_you')
  }
  await desk.open('/inbox')
  await desk.sees(desk.page.getByText('its budget of $0.02 is used up').first())
  await desk.sees(desk.page.getByRole('button', { name: /^Raise to \$0\.05/ }).first())
  await answer(desk, '1')
  await daemon.until('t1', 'in_review')

  await phone.open('/inbox')
  const item = (title: string) => phone.page.getByRole('article').filter({ hasText: title })
  expect(await phone.overflows()).toBe(0)
  await item('Raised by touch').getByLabel('Another budget, in all').fill('0.5')
  await item('Raised by touch').getByRole('button', { name: 'Go on with it' }).tap()
  await daemon.until('t2', 'in_review')
  await item('Stopped').getByRole('button', { name: 'Stop', exact: true }).tap()
  await daemon.until('t3', 'done')
  expect(await budgets(daemon)).toEqual(['$0.05', '$0.50', '$0.02'])
})

/** Waits until a transcript holds these words. */
async function says(daemon: Daemon, handle: string, words: string): Promise<void> {
  await until(`${handle} says: ${words}`, async () =>
    JSON.stringify(await daemon.get<unknown>(`/v1/tasks/${handle}/transcript`)).includes(words),
  )
}

/** What each task's first attempt may use. */
async function budgets(daemon: Daemon): Promise<string[]> {
  const tasks = ['t1', 't2', 't3'].map((handle) =>
    daemon.get<{ attempts: { budget: string }[] }>(`/v1/tasks/${handle}`),
  )
  return (await Promise.all(tasks)).map((task) => task.attempts[0]!.budget)
}

/** Presses a key once it counts for the item that is seen. */
async function answer(visit: Visit, key: string): Promise<void> {
  await visit.sees(visit.page.locator('article.current:not(.dim)'))
  await visit.press(key)
}

/** The files that a task changed, once its result waits for review. */
async function changed(daemon: Daemon, handle: string): Promise<string[]> {
  await daemon.until(handle, 'in_review')
  const diff = await daemon.get<{ files: { path: string }[] }>(`/v1/tasks/${handle}/diff`)
  return diff.files.map((file) => file.path)
}

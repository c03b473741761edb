/** The workspace of a task: any two snapshots compared, one file brought back, and the ports with what listens there. */
import { expect, test } from './support/test'
import { until } from './support/until'

const TWICE = `
write one.txt "first\\n"
turn
write one.txt "second\\n"
write two.txt "second\\n"
`

test('two snapshots are compared, and one file is brought back', async ({ desk, phone, daemon }) => {
  const task = await daemon.give(daemon.repository(), TWICE, { title: 'Writes twice', permissions: 'all' })
  await daemon.until(task.handle, 'in_review')
  await daemon.post(`/v1/tasks/${task.handle}/send`, { text: 'Once more' })
  await until('both results are there', async () => (await daemon.results(task.handle)) === 2)
  await daemon.until(task.handle, 'in_review')
  for (const visit of [desk, phone]) {
    const { page } = visit
    await visit.open(`/tasks/${task.handle}/snapshots`)
    const main = page.getByRole('main')
    const choice = async (turn: number) => {
      const option = page.getByLabel('From').locator('option', { hasText: `After turn ${turn}` })
      return (await option.getAttribute('value')) ?? ''
    }
    await page.getByLabel('From').selectOption(await choice(1))
    await main.getByRole('combobox', { name: /^to/ }).selectOption(await choice(2))
    await page.getByRole('button', { name: 'Compare' }).click()
    await visit.sees(main.getByText('2 files'))
    await visit.sees(main.locator('.removed', { hasText: 'first' }))
    await visit.sees(main.locator('.added', { hasText: 'second' }))
    expect(await visit.overflows()).toBe(0)
  }
  const { page } = phone
  const one = page.locator('details', { hasText: 'one.txt' })
  await one.getByRole('button', { name: 'As after turn 1 had it' }).tap()
  const asked = page.getByRole('dialog', { name: 'Roll back t1' })
  await phone.sees(asked.getByText('one.txt'))
  await asked.getByRole('button', { name: 'Roll back' }).tap()
  const text = async (path: string) => {
    const diff = await daemon.get<{ files: { path: string; hunks: { lines: { text: string }[] }[] }[] }>(
      '/v1/tasks/t1/diff',
    )
    return diff.files.find((file) => file.path === path)?.hunks[0]?.lines[0]?.text
  }
  await until('the one file is as it was', async () => (await text('one.txt')) === 'first')
  expect(await text('two.txt'), 'the other stays').toBe('second')
  await phone.sees(page.getByRole('listitem').filter({ hasText: 'Before a rollback' }))
})

test('a port leads to what the agent started there', async ({ desk, daemon }) => {
  const serve = `
write index.html "<h1>Served by the agent</h1>"
run python3 -m http.server "$DIVISI_PORT" --bind 127.0.0.1 >served.log 2>&1 &
hang
`
  const task = await daemon.give(daemon.repository(), serve, { title: 'Serves', permissions: 'all' })
  await until('somebody listens', async () => {
    const { ports } = await daemon.get<{ ports: { listening: boolean }[] }>('/v1/tasks/t1/workspace')
    return ports.some((port) => port.listening)
  })
  await desk.open(`/tasks/${task.handle}/resources`)
  const ports = desk.page.getByRole('region', { name: 'Workspace' })
  await desk.sees(ports.getByText('of this attempt'))
  // The page itself asks nobody but the daemon; this is a person who follows a link.
  desk.excuse(/^a request to somebody else: http:\/\/localhost:/)
  const opened = desk.context.waitForEvent('page')
  await ports.getByRole('link', { name: /^\d+$/ }).click()
  await (await opened).getByRole('heading', { name: 'Served by the agent' }).waitFor()
})

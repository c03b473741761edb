/** A change looked at in every way that Review has: words, pictures, two columns, white space, scopes, and comments with what becomes of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Locator } from 'playwright-core'

import type { Daemon } from './support/daemon'
import { expect, test } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

/** A file of sixty lines of which one changes in one word, and one in its white space. */
const PRICES = Array.from({ length: 60 }, (_, index) => `price_${index + 1} = ${index + 1}\n`).join('')

/** A picture this wide and one high. */
function gif(width: number): Buffer {
  const bytes = Buffer.from('R0lGODlhAQABAIAAAP8AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')
  bytes.writeUInt16LE(width, 6)
  return bytes
}

const SCRIPT = `
edit prices.py replace "price_30 = 30" with "price_30 = 29"
edit prices.py replace "price_33 = 33" with "price_33  =  33"
write shop.txt "the first\\nthe last\\n"
run printf '${gif(2).toString('base64')}' | base64 -d > sign.gif
say "Done."
when prompt contains "cheaper"
edit prices.py replace "price_30 = 29" with "price_30 = 28"
say "Cheaper."
when prompt contains "Begin"
write begun.txt "half\\n"
hang
`

/** Gives the task out, and waits for its first result. */
async function result(daemon: Daemon): Promise<void> {
  const repository = daemon.repository('sample', { 'prices.py': PRICES })
  writeFileSync(join(repository.path, 'sign.gif'), gif(1))
  repository.commit('The sign', {})
  const task = await daemon.give(repository, SCRIPT, { title: 'Change prices', permissions: 'all' })
  await daemon.until(task.handle, 'in_review')
}

const lines = (visit: Visit): Locator => visit.page.getByRole('region', { name: 'Changes' })
const files = (visit: Visit): Locator => visit.page.getByRole('complementary', { name: 'Files' })

test('words, pictures, two columns and white space', async ({ desk, phone, daemon }) => {
  await result(daemon)
  for (const visit of [desk, phone]) {
    await visit.open('/review/t1')
    const changed = lines(visit)
    await visit.sees(changed.locator('.removed .changed', { hasText: '30' }))
    expect(await changed.locator('.removed .changed').first().innerText(), 'the word alone').toBe('30')
    expect(await changed.locator('.added .changed').first().innerText()).toBe('29')
    for (const [side, width] of [
      ['before', 1],
      ['after', 2],
    ] as const) {
      const picture = await visit.sees(changed.getByRole('img', { name: `sign.gif, ${side}` }))
      await visit.sees(changed.getByText(`${side}, ${width} × 1`))
      expect(await picture.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(width)
    }
    await visit.sees(changed.getByText('the first'))
    await visit.sees(changed.getByText('the last'))
    expect(await changed.locator('.removed').count(), 'two lines').toBe(2)
    if (visit.size.touch) await visit.page.getByRole('button', { name: 'How the lines are shown' }).tap()
    await visit.page
      .getByRole(visit.size.touch ? 'menuitemradio' : 'button', { name: 'Ignore white space' })
      .click()
    await until('only the word differs', async () => (await changed.locator('.removed').count()) === 1)
    expect(await visit.overflows()).toBe(0)
  }

  const { page } = desk
  await desk.press('s')
  const beside = lines(desk).locator('.both', { hasText: 'price_30' })
  await desk.sees(beside)
  expect(await beside.locator('.half').allInnerTexts()).toEqual([
    expect.stringContaining('price_30 = 30'),
    expect.stringContaining('price_30 = 29'),
  ])
  await lines(desk).locator('[data-side=before] .number', { hasText: /^30$/ }).click()
  await page.keyboard.type('dearer before')
  await desk.press('Control+Enter')
  await desk.sees(page.getByRole('article', { name: 'Comment 1, Draft' }))
  expect(await places(daemon)).toMatchObject([{ side: 'before', first: 30, last: 30 }])
})

test('every scope shows its own change', async ({ desk, daemon }) => {
  await result(daemon)
  await daemon.post('/v1/tasks/t1/review', { verdict: 'changes_requested', note: 'make it cheaper' })
  await until('the second result is there', async () => (await daemon.results('t1')) === 2)
  await daemon.until('t1', 'in_review')
  await daemon.post('/v1/tasks/t1/send', { text: 'Begin the next' })
  const live = async () =>
    JSON.stringify(await daemon.get('/v1/tasks/t1/diff?scope=live')).includes('begun.txt')
  await until('the third turn has written', live)
  await desk.open('/review/t1')
  await desk.sees(lines(desk).getByText('price_30 = 28'))
  const shows: Record<string, { files: string; number: string; before: string | null }> = {
    'Since my last review': { files: 'prices.py', number: '28', before: '29' },
    'The files as they are now': {
      files: 'begun.txt prices.py shop.txt sign.gif',
      number: '28',
      before: '30',
    },
    'Turn 1': { files: 'prices.py shop.txt sign.gif', number: '29', before: '30' },
    'Turn 2': { files: 'prices.py', number: '28', before: '29' },
    'From the result of turn 1 to that of turn 2': { files: 'prices.py', number: '28', before: '29' },
    'Against its base': { files: 'prices.py shop.txt sign.gif', number: '28', before: '30' },
  }
  for (const [title, wanted] of Object.entries(shows)) {
    await desk.page.getByRole('button', { name: /What is compared$/ }).click()
    await desk.page.getByRole('menuitemradio', { name: title, exact: true }).click()
    await desk.sees(lines(desk).locator('.added', { hasText: `price_30 = ${wanted.number}` }))
    await desk.sees(lines(desk).locator('.removed', { hasText: `price_30 = ${wanted.before}` }))
    const names = await files(desk).locator('.entry .name').allInnerTexts()
    expect(names.join(' '), title).toBe(wanted.files)
  }
})

test('comments are changed, answered, resolved and reopened', async ({ desk, daemon }) => {
  await result(daemon)
  await desk.open('/review/t1')
  const { page } = desk
  const comment = (stage: string) => page.getByRole('article', { name: `Comment 1, ${stage}` })
  await lines(desk).locator('.added .sign').first().click()
  await page.keyboard.type('cheap')
  await desk.press('Control+Enter')
  await (await desk.sees(comment('Draft'))).getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Comment', { exact: true }).fill('cheaper')
  await desk.press('Control+Enter')
  await desk.sees(comment('Draft').getByText('cheaper', { exact: true }))
  await desk.press('r')
  await desk.press('Control+Enter')
  await until('the second result is there', async () => (await daemon.results('t1')) === 2)
  await (await desk.sees(page.getByRole('button', { name: 'Show it' }))).click()
  await desk.sees(comment('Answered'))
  await comment('Answered').getByRole('button', { name: 'Resolve' }).click()
  await desk.sees(comment('Resolved'))
  await comment('Resolved').getByRole('button', { name: 'Reopen' }).click()
  await page.getByLabel('Comment', { exact: true }).fill('still too dear')
  await page.getByRole('button', { name: 'Reopen' }).last().click()
  await desk.sees(comment('Reopened').getByText('still too dear'))
})

test('a finger draws over the lines that a comment is about', async ({ phone, daemon }) => {
  await result(daemon)
  await phone.open('/review/t1')
  const number = (line: number) =>
    lines(phone)
      .locator('.line:not(.removed) .number', { hasText: new RegExp(`^${line}$`) })
      .last()
  await phone.slide(await phone.sees(number(28)), number(31))
  await phone.page.getByLabel('Comment', { exact: true }).fill('all four?')
  await phone.page.getByRole('button', { name: 'Save draft' }).tap()
  await phone.sees(phone.page.getByRole('article', { name: 'Comment 1, Draft' }))
  expect(await places(daemon)).toMatchObject([{ side: 'after', first: 28, last: 31 }])
  await phone.page.getByRole('button', { name: /What is compared$/ }).tap()
  await phone.page.getByRole('menuitemradio', { name: 'The files as they are now' }).tap()
  await phone.sees(lines(phone).getByText('price_30 = 29'))
  expect(await phone.overflows()).toBe(0)
})

/** Where the comments of the task stand. */
async function places(daemon: Daemon): Promise<unknown[]> {
  const task = await daemon.get<{ attempts: { comments: { place: unknown }[] }[] }>('/v1/tasks/t1')
  return task.attempts[0]!.comments.map((comment) => comment.place)
}

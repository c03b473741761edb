/** A result is read, commented, sent back, looked at again, approved and landed, by keys; and read on a phone. */
import type { Locator } from 'playwright-core'

import { expect, test } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

const FILES = {
  'src/list.rs': 'fn one() {}\nfn two() {}\nfn three() {}\n',
  'src/other.rs': 'fn other() {}\n',
}
const SCRIPT = `
write src/list.rs "fn one() {}\\nfn zwei() {}\\nfn three() {}\\n"
write src/other.rs "fn other() {}\\nfn more() {}\\n"
say "Done."
when prompt contains "an English name"
edit src/list.rs replace "zwei" with "second"
say "Renamed."
`

/** What the list of files says was viewed. */
const progress = (visit: Visit, words: string): Locator => visit.page.getByText(words)

async function startReview(visit: Visit): Promise<void> {
  const { daemon } = visit
  const repository = daemon.repository('sample', FILES)
  const task = await daemon.give(repository, SCRIPT, { title: 'Name the second', permissions: 'all' })
  await daemon.until(task.handle, 'in_review')
  await visit.open('/review/t1')
  await visit.sees(visit.page.getByText('fn zwei() {}'))
}

test('a review goes from the first line to the landing by keys alone', async ({ desk, daemon }) => {
  await startReview(desk)
  const { page } = desk
  await desk.press('n', 'c')
  await page.keyboard.type('give it an English name')
  await desk.press('Control+Enter')
  await desk.sees(page.getByRole('article', { name: 'Comment 1, Draft' }))
  await desk.press('j', 'v')
  await desk.sees(progress(desk, '1 of 2 viewed'))
  await desk.press('r')
  await desk.sees(page.getByText('1 comment and these words go to the agent as one turn'))
  await desk.press('Control+Enter')
  await until('the agent was told, and answers', async () => {
    const task = await daemon.get<{ attempts: { results: unknown[]; status: { attention: string } }[] }>(
      '/v1/tasks/t1',
    )
    const attempt = task.attempts[0]
    return attempt?.results.length === 2 && attempt.status.attention === 'in_review'
  })
  await (await desk.sees(page.getByRole('button', { name: 'Show it' }))).click()
  await desk.sees(page.getByText('fn second() {}'))
  await desk.sees(page.getByRole('article', { name: 'Comment 1, Answered' }))
  expect(await progress(desk, '1 of 2 viewed').count(), 'a file that did not change stays viewed').toBe(1)
  await desk.press('a')
  await daemon.until('t1', 'ready_to_land')
  await desk.sees(page.getByText('If you land it'))
  await desk.press('l')
  await daemon.until('t1', 'done')
  await desk.sees(page.getByRole('button', { name: 'Undo landing' }))
})

test('an approval is taken back, at once and later', async ({ desk, phone, daemon }) => {
  await startReview(desk)
  await desk.press('a')
  await daemon.until('t1', 'ready_to_land')
  await (await desk.sees(desk.page.getByRole('button', { name: 'Withdraw', exact: true }))).click()
  await daemon.until('t1', 'in_review')
  await desk.sees(desk.page.getByText('If you approve'))
  await daemon.post('/v1/tasks/t1/review', { verdict: 'approved' })
  await phone.open('/tasks/t1')
  await (await phone.sees(phone.page.getByRole('button', { name: 'Withdraw approval' }))).tap()
  await daemon.until('t1', 'in_review')
  await phone.sees(phone.page.getByRole('button', { name: 'Approve' }))
})

test('a diff is read, a line commented, and the result landed on a phone', async ({ phone }) => {
  await startReview(phone)
  expect(await phone.overflows()).toBe(0)
  await phone.page.locator('.added .sign').first().tap()
  await phone.page.getByLabel('Comment', { exact: true }).fill('why?')
  await phone.page.getByRole('button', { name: 'Save draft' }).tap()
  await phone.sees(phone.page.getByRole('article', { name: 'Comment 1, Draft' }))
  await phone.page.getByRole('button', { name: /^Files/ }).tap()
  await phone.sees(phone.page.getByText('0 of 2 viewed'))
  await phone.page.getByRole('button', { name: /^Files/ }).tap()
  await phone.page.getByRole('button', { name: 'Delete' }).tap()
  await phone.page.getByRole('article').waitFor({ state: 'detached' })
  await phone.page.getByRole('button', { name: /^Approve/ }).tap()
  await phone.sees(phone.page.getByText('If you land it'))
  await phone.page.getByRole('button', { name: /^Land/ }).tap()
  await phone.daemon.until('t1', 'done')
  await phone.sees(phone.page.getByRole('button', { name: 'Undo landing' }))
})

test('nothing in a diff is hidden or acts', async ({ desk, daemon }) => {
  const repository = daemon.repository('sample', { 'a.html': 'x\n' })
  const evil = '<img src=x onerror=alert(1)> \\u{202e}evil'
  const task = await daemon.give(repository, `write a.html "${evil.replace('\\u{202e}', '\u202e')}\\n"`, {
    title: 'Evil',
    permissions: 'all',
  })
  await daemon.until(task.handle, 'in_review')
  await desk.open('/review/t1')
  await desk.sees(desk.page.getByText('<img').first())
  await desk.sees(desk.page.locator('.line .hidden').filter({ hasText: 'U+202E' }))
})

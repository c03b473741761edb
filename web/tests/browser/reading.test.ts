/** A review is read without a mouse and without keys: what was not viewed, criteria beside the code, places with an address. */
import type { Locator } from 'playwright-core'

import type { Daemon } from './support/daemon'
import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

const LINES = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`).join('')
const SCRIPT = `
edit a.txt replace "line 5\\n" with "line five\\n"
edit a.txt replace "line 35\\n" with "line thirty-five\\n"
edit b.txt replace "line 5\\n" with "line five\\n"
edit c.txt replace "line 5\\n" with "line five\\n"
say "Done."
when prompt contains "shorter"
edit c.txt replace "line five" with "five"
say "Shorter."
`

async function result(daemon: Daemon, criteria: { text: string }[] = []): Promise<void> {
  const files = { 'a.txt': LINES, 'b.txt': LINES, 'c.txt': LINES }
  const task = await daemon.give(daemon.repository('sample', files), SCRIPT, {
    title: 'Numbers in words',
    permissions: 'all',
    criteria,
  })
  if (criteria.length > 0) await waitsFor(daemon, task, 'criterion')
  else await daemon.until(task.handle, 'in_review')
}

const lines = (visit: Visit): Locator => visit.page.getByRole('region', { name: 'Changes' })
const address = (visit: Visit) => {
  const { search, hash } = new URL(visit.page.url())
  return decodeURIComponent(search + hash)
}

test('the next change that was not viewed is one key away, past what was', async ({ desk, daemon }) => {
  await result(daemon)
  await desk.open('/review/t1')
  const at = (text: string) => desk.sees(lines(desk).locator('.line.current', { hasText: text }))
  await desk.sees(lines(desk).getByText('line thirty-five'))
  await desk.press('u')
  await at('line 5')
  await desk.press('u')
  await at('line 35')
  await desk.press('u')
  await until('it is in the second file', () => address(desk).includes('file=b.txt'))
  // The second is viewed, so it is passed over by both keys from then on.
  await desk.press('k', 'v', 'n')
  await until('it is in the second file again', () => address(desk).includes('file=b.txt'))
  await desk.press('v')
  await desk.sees(desk.page.getByText('2 of 3 viewed'))
  await desk.press('u')
  await until('it is in the third file', () => address(desk).includes('file=c.txt'))
  await desk.press('p')
  await desk.press('v')
  await desk.sees(desk.page.getByText('3 of 3 viewed'))
  await desk.press('u')
  await desk.sees(desk.page.getByText('Every file was viewed'))
})

for (const size of [DESK, PHONE]) {
  test(`a criterion is judged beside the change (${size.name})`, async ({ visits, daemon }) => {
    const visit = await visits(size)
    const { page } = visit
    await result(daemon, [{ text: 'numbers read well' }, { text: 'no number is missed' }])
    await visit.open('/review/t1')
    await visit.sees(page.getByText('2 criteria must be judged by a person'))
    const proof = page.getByRole('complementary', { name: 'Proof and comments' })
    if (size.touch) {
      await page.getByRole('button', { name: 'Judge 2 criteria' }).tap()
      await proof.getByRole('button', { name: 'It holds' }).first().tap()
      await until('one is left', async () => (await proof.getByRole('article').count()) === 1)
      await proof.getByRole('button', { name: 'It does not hold' }).tap()
      await proof.getByLabel('What is missing').fill('make them shorter')
      await proof.getByRole('button', { name: 'Send it back' }).tap()
    } else {
      await visit.press('m', '1')
      await until('one is left', async () => (await proof.getByRole('article').count()) === 1)
      await visit.press('m', '2')
      await proof.getByLabel('What is missing').waitFor()
      await page.keyboard.type('make them shorter')
      await visit.press('Enter')
    }
    await until('the second result is there', async () => (await daemon.results('t1')) === 2)
    expect(await visit.overflows()).toBe(0)
  })

  test(`a file, a line, what is compared and a comment have an address (${size.name})`, async ({
    visits,
    daemon,
  }) => {
    const visit = await visits(size)
    const { page } = visit
    await result(daemon)
    await daemon.post('/v1/tasks/t1/review', { verdict: 'changes_requested', note: 'make them shorter' })
    await until('the second result is there', async () => (await daemon.results('t1')) === 2)
    await daemon.until('t1', 'in_review')
    await visit.open('/review/t1?compare=turn-2&file=c.txt&line=after:5')
    await visit.sees(page.getByRole('button', { name: /^Turn 2, What is compared/ }))
    await visit.sees(lines(visit).locator('.line.current.added', { hasText: 'five' }))
    expect(address(visit)).toBe('?compare=turn-2&file=c.txt&line=after:5')

    await visit.open('/review/t1')
    await (await visit.sees(lines(visit).locator('.added', { hasText: 'line thirty-five' }))).click()
    await until('the line is in the address', () => address(visit) === '?file=a.txt&line=after:35')
    await page.reload()
    await visit.sees(lines(visit).locator('.line.current', { hasText: 'line thirty-five' }))
    await comment(visit, 'why in words?')
    await visit.open('/review/t1#comment-1')
    await visit.sees(page.getByRole('article', { name: 'Comment 1, Draft' }))
    await visit.sees(lines(visit).locator('.line.current', { hasText: 'line thirty-five' }))
  })

  test(`words of a comment survive a key, another line and another screen (${size.name})`, async ({
    visits,
    daemon,
  }) => {
    const visit = await visits(size)
    const { page } = visit
    await result(daemon)
    await visit.open('/review/t1')
    const line = (text: string) => lines(visit).locator('.added', { hasText: text })
    const field = page.getByLabel('Comment', { exact: true })
    const open = async (text: string) => {
      await (await visit.sees(line(text))).click()
      if (size.touch) await page.getByRole('button', { name: /^Comment on line/ }).tap()
      else await visit.press('c')
    }
    await open('line thirty-five')
    await field.fill('half a thought')
    await field.press('Escape')
    await field.waitFor({ state: 'detached' })
    await open('line thirty-five')
    await until('the words are there', async () => (await field.inputValue()) === 'half a thought')
    await page.getByRole('button', { name: 'Put aside' }).click()
    await page.getByRole('navigation').getByRole('link', { name: 'Board', exact: true }).click()
    await visit.at('/')
    await page.goBack()
    await open('line thirty-five')
    await until('they still are', async () => (await field.inputValue()) === 'half a thought')
    await page.getByRole('button', { name: 'Save draft' }).click()
    await visit.sees(page.getByRole('article', { name: 'Comment 1, Draft' }).getByText('half a thought'))
  })
}

test('a review goes on by fingers: files, changes, words on a file and on the whole', async ({
  phone,
  daemon,
}) => {
  const { page } = phone
  await result(daemon)
  await phone.open('/review/t1')
  await phone.sees(lines(phone).getByText('line thirty-five'))
  const steps = page.getByRole('toolbar', { name: 'Go on in the change' })
  await steps.getByRole('button', { name: 'Comment on the whole' }).tap()
  await page.getByRole('dialog').getByLabel('Comment', { exact: true }).fill('well done')
  await page.getByRole('button', { name: 'Save draft' }).tap()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await steps.getByRole('button', { name: 'Next file', exact: true }).tap()
  await phone.sees(steps.getByRole('button', { name: 'Comment on the file' }))
  await until('the second file', () => address(phone).includes('file=b.txt'))
  await lines(phone).getByRole('button', { name: 'Comment on b.txt' }).tap()
  await page.getByRole('dialog').getByLabel('Comment', { exact: true }).fill('why this file?')
  await page.getByRole('button', { name: 'Save draft' }).tap()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await steps.getByRole('button', { name: 'Next change that was not viewed' }).tap()
  await phone.sees(steps.getByRole('button', { name: 'Comment on line 5' }))
  for (const button of await steps.getByRole('button').all()) {
    const box = await button.boundingBox()
    expect(box!.height, 'a finger finds it').toBeGreaterThanOrEqual(43)
  }
  const line = await lines(phone).locator('.line').first().boundingBox()
  expect(line!.height, 'a finger finds a line').toBeGreaterThanOrEqual(24)
  await page.getByRole('button', { name: /^Request changes \(2\)/ }).tap()
  await page.getByRole('dialog').getByLabel('Words on the whole').fill('shorter')
  await page.getByRole('dialog').getByRole('button', { name: 'Request changes' }).tap()
  await until('the second result is there', async () => (await daemon.results('t1')) === 2)
  expect(await phone.overflows()).toBe(0)
})

test('a commit is a scope of its own, also one that came since, and what landed is archived there', async ({
  desk,
  daemon,
}) => {
  await result(daemon)
  await desk.open('/review/t1')
  const { page } = desk
  const commits = async () => {
    await page.getByRole('button', { name: /What is compared$/ }).click()
    const found = await page.getByRole('menuitemradio', { name: /^Commit/ }).count()
    await desk.press('Escape')
    return found
  }
  await desk.sees(lines(desk).getByText('line thirty-five'))
  await until('the commit of the first result', async () => (await commits()) === 1)
  await daemon.post('/v1/tasks/t1/review', { verdict: 'changes_requested', note: 'make them shorter' })
  await until('the second result is there', async () => (await daemon.results('t1')) === 2)
  await daemon.until('t1', 'in_review')
  await (await desk.sees(page.getByRole('button', { name: 'Show it' }))).click()
  await page.getByRole('button', { name: /What is compared$/ }).click()
  await page
    .getByRole('menuitemradio', { name: /^Commit/ })
    .first()
    .click()
  await until('it has an address', () => /compare=[0-9a-f]{40}/.test(address(desk)))
  await desk.press('a')
  await daemon.until('t1', 'ready_to_land')
  await desk.sees(page.getByText('If you land it'))
  await desk.press('l')
  await daemon.until('t1', 'done')
  await (await desk.sees(page.getByRole('button', { name: 'Archive', exact: true }))).click()
  await until('it is put away', async () => {
    const task = (await daemon.task('t1')) as unknown as { archived: boolean }
    return task.archived
  })
})

async function comment(visit: Visit, text: string): Promise<void> {
  await visit.press('c')
  await visit.page.getByLabel('Comment', { exact: true }).fill(text)
  await visit.page.getByRole('button', { name: 'Save draft' }).click()
  await visit.sees(visit.page.getByRole('article', { name: 'Comment 1, Draft' }))
}

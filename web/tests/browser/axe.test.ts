/** Every screen at a desk, light and dark, and what opens over it: no serious finding of axe, nothing wider than the screen. */
import { findings } from './support/axe'
import { FLEET_PARALLEL, stage, waitsFor } from './support/fleet'
import { problems } from './support/screens'
import { expect, test as base } from './support/test'

const test = base.extend<{ parallel: number }>({ parallel: FLEET_PARALLEL })

test('no screen keeps anybody out at a desk', async ({ daemon, desk }) => {
  expect(await problems(desk, await stage(daemon))).toEqual([])
})

test('palette, help and menus keep nobody out', async ({ daemon, desk, phone }) => {
  const task = await daemon.give(daemon.repository(), 'hang', { title: 'Works' })
  await desk.open('/')
  await desk.sees(desk.column('working').getByText('Works'))
  for (const keys of ['Control+k', '?']) {
    await desk.press(keys)
    await desk.sees(desk.page.getByRole('dialog'))
    expect(await findings(desk.page), keys).toEqual([])
    await desk.press('Escape')
    await desk.page.getByRole('dialog').waitFor({ state: 'hidden' })
  }
  await phone.open('/')
  await phone.page.getByRole('group', { name: 'Columns' }).getByRole('button', { name: 'Working' }).tap()
  await phone.page.getByRole('button', { name: `What can be done with ${task.handle}` }).tap()
  await phone.sees(phone.page.getByRole('menu'))
  expect(await findings(phone.page)).toEqual([])
})

test('comments, a criterion, a refusal with words and a comparison keep nobody out', async ({
  daemon,
  desk,
  phone,
}) => {
  const repository = daemon.repository()
  const compared = await daemon.give(repository, 'write a.txt "a\\n"', {
    title: 'Compared',
    permissions: 'all',
    attempts: 2,
    criteria: [{ text: 'it reads well' }],
  })
  await waitsFor(daemon, compared, 'criterion')
  const asks = await daemon.give(repository, 'ask delete "Delete calc.py"', { title: 'Asks' })
  await waitsFor(daemon, asks, 'permission')
  const first = `/v1/tasks/${compared.handle}.1`
  await daemon.post(`${first}/comments`, { text: 'why?', place: null })
  const files = await daemon.get<{ to: string }>(`${first}/diff/files`)
  const place = { commit: files.to, file: 'a.txt', side: 'after', first: 1, last: 1 }
  await daemon.post(`${first}/comments`, { text: 'why this line?', place })
  for (const visit of [desk, phone]) {
    const { page } = visit
    await visit.open(`/review/${compared.handle}.1`)
    await visit.sees(page.getByRole('article', { name: 'Comment 2, Draft' }))
    expect(await findings(page), 'comments').toEqual([])
    if (visit.size.touch) await page.getByRole('button', { name: /^Judge/ }).tap()
    await page.getByRole('button', { name: 'It does not hold' }).click()
    await visit.sees(page.getByLabel('What is missing'))
    expect(await findings(page), 'a criterion').toEqual([])
    await visit.open('/inbox')
    await page.getByRole('button', { name: 'Say why not' }).first().click()
    await visit.sees(page.getByLabel(/^(Why not|What is missing)/).first())
    expect(await findings(page), 'why not').toEqual([])
    await visit.open(`/tasks/${compared.handle}.1`)
    await page.getByRole('table', { name: /^The attempts/ }).waitFor()
    expect(await findings(page), 'a comparison').toEqual([])
    expect(await visit.overflows()).toBe(0)
  }
})

/** The frame around every screen: it loads, it is small, every address opens, and it says how many wait. */
import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { until } from './support/until'
import { firstLoad } from './support/weight'

/** The bar for everything that is loaded before the board can be used. */
const FIRST_LOAD_BYTES_MAX = 120_000

test('the first load of script stays below its bar', async ({ desk }) => {
  expect(await firstLoad(desk)).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX)
})

test('what the shell may do is told to the browser', async ({ desk, daemon }) => {
  await desk.open('/')
  const answer = await fetch(daemon.url)
  const policy = answer.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  const data = await fetch(`${daemon.url}/v1/tasks`)
  expect(data.status, 'data is for who has been let in').toBe(401)
})

const ADDRESSES = ['/', '/new', '/inbox', '/landing', '/fleet', '/settings', '/tasks/t1', '/review/t1']

test('every address opens by itself, and going back works', async ({ desk, daemon }) => {
  const task = await daemon.give(daemon.repository(), 'edit calc.py replace "a - b" with "a + b"', {
    title: 'Mend the sum',
  })
  await daemon.until(task.handle, 'in_review')
  for (const address of ADDRESSES) {
    await desk.open(address)
    await desk.sees(desk.page.getByRole('main').getByRole('heading', { level: 1 }))
    expect(new URL(desk.page.url()).pathname).toBe(address)
  }
  await desk.open('/')
  await desk.page.getByRole('navigation').getByRole('link', { name: 'Fleet' }).click()
  await desk.at('/fleet')
  await desk.page.goBack()
  await desk.at('/')
  await desk.sees(desk.column('in_review').getByText('Mend the sum'))
})

test('an address that is none says so', async ({ desk }) => {
  await desk.open('/no/such/place')
  expect(await desk.page.getByRole('main').innerText()).toMatch(/no such|nothing|not/i)
})

test('title and icon count what waits', async ({ desk, daemon }) => {
  await desk.open('/')
  const icon = () => desk.page.locator('link[rel=icon]').getAttribute('href')
  expect(await desk.page.title()).not.toMatch(/^\(/)
  expect(await icon()).toBe('/icon.svg')
  const task = await daemon.give(daemon.repository(), 'ask delete "Delete calc.py?"')
  await waitsFor(daemon, task, 'permission')
  await until('the title counts one', async () => (await desk.page.title()).startsWith('(1) '))
  expect(await icon()).toMatch(/^data:image\/svg/)
  await daemon.post(`/v1/tasks/${task.handle}/stop`)
  await until('the title counts none', async () => !(await desk.page.title()).startsWith('('))
  await until('the icon counts none', async () => (await icon()) === '/icon.svg')
})

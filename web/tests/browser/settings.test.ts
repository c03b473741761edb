/** What a person chose of look and limits: seen at once, kept, and the same after the page was loaded again. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK } from './support/visit'

for (const size of ['desk', 'phone'] as const) {
  test(`colours, density and times are chosen and kept (${size})`, async ({ desk, phone, daemon }) => {
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    const task = await daemon.give(daemon.repository(), 'ask delete "Delete calc.py?"', { title: 'Tidy up' })
    await waitsFor(daemon, task, 'permission')
    await visit.open('/settings/look')
    const root = page.locator('html')
    const letters = () => root.evaluate((html) => parseFloat(getComputedStyle(html).fontSize))
    const calm = await letters()
    await page.getByRole('radio', { name: 'Dark' }).check()
    await page.getByRole('radio', { name: /Dense/ }).check()
    await page.getByRole('radio', { name: /When/ }).check()
    expect(await letters()).toBeLessThan(calm)
    await page.reload()
    await visit.sees(page.getByRole('heading', { name: 'Look' }))
    expect(await root.getAttribute('data-theme')).toBe('dark')
    expect(await root.getAttribute('data-density')).toBe('dense')

    // A moment is told as one; a click or tap shows how long ago all of them are.
    await visit.open('/')
    const time = page.getByRole('article').locator('time').first()
    await until('the moment is told', async () => /^since \d\d:\d\d/.test(await time.innerText()))
    await (size === 'desk' ? time.click() : time.tap())
    await until('its age is told', async () => /^\d+ (s|min)$/.test(await time.innerText()))
    expect(await visit.overflows()).toBe(0)
    if (size === 'phone') return
    await visit.press('Shift+T')
    await until('the key does the same', async () => /^since/.test(await time.innerText()))
  })
}

test('what is chosen stands in a file, which every browser reads and the file editor changes', async ({
  daemon,
  desk,
  visits,
}) => {
  const path = join(daemon.place.root, 'home/.config/divisi/dashboard.json')
  const inFile = (part: string) =>
    existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)[part] : undefined
  await desk.open('/settings/look')
  await desk.page.getByRole('radio', { name: 'Dark' }).check()
  await until(
    'the look is in the file',
    () => (inFile('look') as { theme?: string } | undefined)?.theme === 'dark' && true,
  )
  await desk.open('/settings/keys')
  await desk.page.getByRole('button', { name: /^Keys of Go to Fleet:/ }).click()
  await desk.press('y', 'z')
  await until(
    'the keys are in the file',
    () => JSON.stringify(inFile('keys')) === '{"go.fleet":["y z"]}' && true,
  )

  // Another browser has never chosen anything.
  const other = await visits(DESK)
  await other.open('/')
  const isDark = () => other.page.locator('html').getAttribute('data-theme')
  await until('it is dark too', async () => (await isDark()) === 'dark')
  await other.press('y', 'z')
  await other.at('/fleet')
  await other.open('/settings/files#dashboard')
  const text = other.page.getByRole('textbox', { name: /dashboard\.json/ })
  await until('the text is there', async () => (await text.inputValue()).includes('go.fleet'))
  await text.fill('{\n  "look": { "theme": "purple" }\n}\n')
  await other.sees(other.page.getByRole('button', { name: 'Line 2' }))
  await text.fill('{\n  "look": { "theme": "light" }\n}\n')
  await other.sees(other.page.getByText('The daemon can read it.'))
  await other.press('Control+s')
  await until('it is light at once', async () => (await isDark()) === 'light')
})

for (const size of ['desk', 'phone'] as const) {
  test(`a limit leads to its line (${size})`, async ({ desk, phone }) => {
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    await visit.open('/settings/projects')
    await page.getByRole('link', { name: 'Change parallel' }).click()
    const text = page.getByRole('textbox', { name: /config\.toml/ })
    const selected = () =>
      text.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))
    await until('its line is chosen', async () => (await selected()) === 'parallel = 8')
    await visit.open('/settings/projects')
    await page.getByRole('link', { name: 'Change checks_parallel' }).click()
    await until('a line is offered', async () => (await selected()) === 'checks_parallel = ')
    // Nothing stands behind its sign yet, so it cannot be saved.
    await until('it waits for a value', () => page.getByRole('button', { name: 'Save' }).isDisabled())
    expect(await visit.overflows()).toBe(0)
  })
}

for (const size of ['desk', 'phone'] as const) {
  test(`what mends an agent is copied (${size})`, async ({ desk, phone }) => {
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: visit.origin })
    await visit.open('/settings/agents')
    await page.getByText(/more not installed/).click()
    const copy = page.getByRole('button', { name: /^Copy what mends/ })
    await copy.first().click()
    await visit.sees(page.getByText('Copied'))
    expect((await page.evaluate(() => navigator.clipboard.readText())).length).toBeGreaterThan(3)
    expect(await visit.overflows()).toBe(0)
    if (size === 'desk') return
    await page.getByRole('link', { name: 'New task', exact: true }).tap()
    await visit.at('/new')
  })
}

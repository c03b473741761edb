/** Who may enter: by a link, by pairing, and not any longer; and what only the owner may do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

interface Entry {
  link: string
  code: string
}

/** The board, whether or not there is anything on it. */
async function seesBoard(visit: Visit): Promise<void> {
  await visit.sees(visit.page.getByRole('main').getByRole('region', { name: 'Board' }))
}

/** A browser that has entered by a link at the name that the daemon gave itself. */
async function enter(visit: Visit, entry: Entry): Promise<void> {
  // Before it is in, the daemon tells it nothing.
  visit.excuse(/401/)
  await visit.page.goto(entry.link)
  await visit.at('/')
  await seesBoard(visit)
}

test('a link lets one browser in, once, and it stays in', async ({ daemon, visits }) => {
  const first = await visits(DESK, { stranger: true })
  first.excuse(/401/)
  await first.page.goto(daemon.url)
  await first.sees(first.page.getByRole('heading', { name: 'This browser is not let in yet' }))
  const entry = await daemon.post<Entry>('/v1/entries', {})
  await enter(first, entry)
  expect(first.page.url(), 'the code is gone from the address').not.toContain(entry.code)
  await first.page.reload()
  await seesBoard(first)
  await daemon.give(daemon.repository(), 'hang', { title: 'Seen live' })
  await first.sees(first.column('working').getByText('Seen live'))

  const second = await visits(DESK, { stranger: true })
  second.excuse(/401/)
  await second.page.goto(entry.link)
  await second.sees(second.page.getByRole('alert').getByText('This link was used, or is too old'))
  const other = await daemon.post<Entry>('/v1/entries', {})
  await second.page.getByLabel('Or paste the link here').fill('https://example.org/')
  await second.page.getByRole('button', { name: 'Enter' }).click()
  await second.sees(second.page.getByText('This is no link of Divisi'))
  await second.page.getByLabel('Or paste the link here').fill(other.link)
  await second.page.getByRole('button', { name: 'Enter' }).click()
  await second.sees(second.column('working').getByText('Seen live'))
})

test('a phone is paired at the desk, sees the board, and is out when it is revoked', async ({
  daemon,
  visits,
}) => {
  await daemon.give(daemon.repository(), 'hang', { title: 'Seen live' })
  const desk = await visits(DESK, { stranger: true })
  await enter(desk, await daemon.post<Entry>('/v1/entries', {}))
  await desk.page.getByRole('link', { name: 'Settings' }).click()
  await desk.page.getByRole('link', { name: 'Devices' }).click()
  await desk.page.getByLabel('Name of the new device').fill('my phone')
  await desk.page.getByRole('button', { name: 'Pair a device' }).click()
  const dialog = desk.page.getByRole('dialog')
  await desk.sees(dialog.getByRole('img', { name: 'The link as a QR code' }))
  const link = (await dialog.locator('code.link').textContent()) ?? ''
  const phone = await visits(PHONE, { stranger: true })
  phone.excuse(/401|403/)
  await phone.page.goto(link)
  await phone.at('/')
  const columns = phone.page.getByRole('group', { name: 'Columns' })
  await columns.getByRole('button', { name: 'Working' }).tap()
  await phone.sees(phone.column('working').getByText('Seen live'))
  expect(await phone.overflows()).toBe(0)
  await dialog.getByRole('button', { name: 'Done' }).click()
  const row = desk.page.getByRole('listitem').filter({ hasText: 'my phone' })
  await desk.sees(row.getByText('paired'))

  await phone.page.getByRole('link', { name: 'Settings' }).tap()
  await phone.page.getByRole('link', { name: 'Files' }).tap()
  await phone.sees(phone.page.getByText('a paired device may not do this'))

  await row.getByRole('button', { name: 'Revoke my phone' }).click()
  await phone.sees(phone.page.getByRole('heading', { name: 'This browser is not let in yet' }))
  await row.waitFor({ state: 'detached' })
})

test('a file with settings is changed as text, and what is wrong is not saved', async ({ daemon, desk }) => {
  await desk.open('/settings/files')
  const text = desk.page.getByRole('textbox', { name: /config\.toml/ })
  await until('the text is there', async () => (await text.inputValue()).includes('parallel = 8'))
  const save = desk.page.getByRole('button', { name: 'Save' })
  await text.fill('# mine\nparallel = "many"\n')
  await desk.sees(desk.page.getByRole('button', { name: 'Line 2' }))
  expect(await save.isDisabled()).toBe(true)
  await text.fill('# mine\nparallel = 3\nparalel = 3\n')
  await desk.sees(desk.page.getByText('did you mean `parallel`?'))
  await text.fill('# mine\nparallel = 3\n')
  await desk.sees(desk.page.getByText('The daemon can read it.'))
  await desk.press('Control+s')
  await desk.sees(desk.page.getByText('Saved'))
  const path = join(daemon.place.root, 'home/.config/divisi/config.toml')
  expect(readFileSync(path, 'utf8')).toBe('# mine\nparallel = 3\n')
})

test('keys are remapped, and the page says when two actions have the same', async ({ desk }) => {
  // Actions of screens that were never opened are there too.
  await desk.open('/settings/keys')
  await desk.sees(desk.page.getByText('Next item'))
  const keysOf = (action: string) =>
    desk.page.getByRole('button', { name: new RegExp(`^Keys of ${action}:`) })
  await keysOf('New task').click()
  await desk.press('x')
  await desk.sees(keysOf('New task').getByText('X'))
  await desk.page.getByRole('heading', { name: 'Keys' }).click()
  await desk.press('x')
  await desk.at('/new')
  await desk.page.goBack()
  await keysOf('New task').click()
  await desk.press('?')
  await desk.sees(desk.page.getByText('The same keys: Keys'))
  await desk.page.getByRole('button', { name: 'Own keys of New task' }).click()
  await desk.sees(keysOf('New task').getByText('N'))
})

test('the page opens while the daemon is away, and keeps none of its data', async ({ daemon, visits }) => {
  const desk = await visits(DESK, { stranger: true, serviceWorker: true })
  desk.excuse(/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING)/)
  await enter(desk, await daemon.post<Entry>('/v1/entries', {}))
  await desk.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    return registration.active?.scriptURL
  })
  // Loaded once more under the service worker, the files are kept.
  await desk.page.reload()
  await seesBoard(desk)
  const kept = () =>
    desk.page.evaluate(async () => {
      const cache = await caches.open('divisi-files')
      return (await cache.keys()).map((request) => new URL(request.url).pathname)
    })
  await until('the shell and its script are kept', async () => {
    const paths = await kept()
    return paths.includes('/') && paths.some((path) => path.startsWith('/assets/index-'))
  })
  expect((await kept()).filter((path) => path.startsWith('/v1'))).toEqual([])
  await daemon.kill()
  await desk.page.reload()
  await desk.sees(desk.page.getByRole('navigation', { name: 'Screens' }))
  await daemon.serve()
  await seesBoard(desk)
})

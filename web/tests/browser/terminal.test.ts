/** Terminals: a person's own shell in a workspace, and what an agent wrote, which is drawn and nothing else. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { COLOURS, findings } from './support/axe'
import type { Daemon } from './support/daemon'
import { Line } from './support/line'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

/** What the console says of requests that do not arrive; here they are meant to fail. */
const CUT_OFF =
  /Failed to load resource|WebSocket connection|ERR_(CONNECTION|TUNNEL|NETWORK|EMPTY|INCOMPLETE)/

async function workspace(daemon: Daemon): Promise<string> {
  const task = await daemon.give(daemon.repository(), 'write made.txt "x"', {
    title: 'Makes',
    permissions: 'all',
  })
  await daemon.until(task.handle, 'in_review')
  return task.handle
}

const shell = (visit: Visit) => visit.page.getByRole('region', { name: /^Terminal in the workspace/ })

/** Waits until the terminal shows a text. */
function shows(visit: Visit, text: string, where = shell(visit)): Promise<boolean> {
  return until(`the terminal shows ${text}`, async () => {
    const rows = await where.locator('.xterm-rows').innerText()
    if (rows.replaceAll('\u00a0', ' ').includes(text)) return true
    throw new Error(`it shows ${JSON.stringify(rows.trim().slice(-400))}`)
  })
}

async function opens(visit: Visit, handle: string): Promise<void> {
  await visit.open(`/tasks/${handle}/terminal`)
  await visit.page.getByRole('button', { name: 'Open a shell' }).click()
  await until('the terminal has the focus', () =>
    shell(visit).evaluate((element) => element.contains(document.activeElement)),
  )
}

test('a shell of ones own stands among the files, and outlives the page', async ({ desk, daemon }) => {
  const { page } = desk
  const handle = await workspace(daemon)
  await opens(desk, handle)
  await page.keyboard.type(
    "ls; echo be''gun; printf '\\033[38;2;9;99;9mgreen\\033[0m\\033]0;renamed\\007\\n'\n",
  )
  await shows(desk, 'begun')
  await shows(desk, 'made.txt')
  await shows(desk, 'green')
  expect(await page.title()).not.toContain('renamed')
  const wide = await shell(desk).evaluate((element) => element.clientWidth)
  let size = ''
  await page.keyboard.type('clear; stty size\n')
  await until('the terminal is as wide as its place', async () => {
    const rows = await shell(desk).locator('.xterm-rows').innerText()
    size = /\d+ \d+/.exec(rows.replaceAll('\u00a0', ' '))?.[0] ?? ''
    const columns = Number(size.split(' ')[1])
    return columns > wide / 12 && columns < wide / 6
  })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    expect(await findings(page, colorScheme === 'dark' ? COLOURS : undefined), colorScheme).toEqual([])
  }

  await page.reload()
  await shows(desk, size)
  await until('the terminal has the focus', () =>
    shell(desk).evaluate((element) => element.contains(document.activeElement)),
  )
  // Keys that mean something elsewhere belong to the shell, and one leads out of it.
  await page.keyboard.type('echo ?123\n')
  await shows(desk, '?123')
  await page.keyboard.press('Tab')
  expect(await shell(desk).evaluate((element) => element.contains(document.activeElement))).toBe(true)
  await page.keyboard.press('Control+Shift+L')
  const close = page.getByRole('button', { name: 'Close the shell' })
  expect(await close.evaluate((element) => element === document.activeElement)).toBe(true)
  await page.keyboard.press('Enter')
  await desk.sees(page.getByText('it was closed'))
  await page.getByRole('button', { name: 'Open another shell' }).click()
  await until('the terminal has the focus', () =>
    shell(desk).evaluate((element) => element.contains(document.activeElement)),
  )
  await page.keyboard.type('exit 3\n')
  await desk.sees(page.getByText('the shell has ended with 3'))
})

test('a flood ends by a key, and words go in and out by the clipboard', async ({ desk, daemon }) => {
  const { page } = desk
  await desk.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: desk.origin })
  await opens(desk, await workspace(daemon))
  await page.keyboard.type('yes\n')
  await shows(desk, 'y\ny\ny')
  await page.keyboard.press('Control+c')
  await page.keyboard.type("clear; echo aft''er\n")
  await shows(desk, 'after')

  await page.evaluate(() => navigator.clipboard.writeText("echo pas''ted"))
  await page.keyboard.press('Control+Shift+V')
  await page.keyboard.press('Enter')
  await shows(desk, 'pasted')
  const word = await until('the word is drawn', async () => {
    const box = await shell(desk).getByText('pasted', { exact: true }).boundingBox()
    return box ?? undefined
  })
  await page.mouse.dblclick(word.x + 8, word.y + 8)
  await page.keyboard.press('Control+Shift+C')
  await until('it is copied', async () => {
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    if (copied === 'pasted') return true
    throw new Error(`there is ${copied}`)
  })

  await page.getByRole('checkbox', { name: 'Read aloud' }).check()
  const lines = shell(desk).getByRole('list')
  await desk.sees(lines.getByText('pasted', { exact: true }))
  expect(await findings(page)).toEqual([])
})

test('with fingers, and with a network that is cut', async ({ visits, daemon }) => {
  const line = await Line.lay()
  const phone = await visits(PHONE, { line })
  phone.excuse(CUT_OFF)
  const { page } = phone
  await opens(phone, await workspace(daemon))
  await page.keyboard.type('sleep 1000\n')
  await shows(phone, 'sleep 1000')
  await page.getByRole('button', { name: 'Ctrl' }).tap()
  await page.keyboard.type('c')
  await page.keyboard.type('echo "c$?"\n')
  await shows(phone, 'c130')
  expect(await phone.overflows()).toBe(0)
  expect(await findings(page)).toEqual([])

  const done = join(daemon.place.root, 'done')
  await page.keyboard.type(`while ! test -e ${done}; do sleep 0.1; done; echo mean''while\n`)
  await shows(phone, 'done')
  line.cut()
  await phone.sees(page.getByText('The connection is lost'))
  writeFileSync(done, '')
  line.mend()
  await shows(phone, 'meanwhile')
  const rows = await shell(phone).locator('.xterm-rows').innerText()
  expect(rows.split('meanwhile').length, 'nothing is doubled').toBe(2)
  await line.end()
})

test('a paired device is told that it has none', async ({ visits, daemon }) => {
  const handle = await workspace(daemon)
  const phone = await visits(PHONE, { kind: 'paired' })
  await phone.open(`/tasks/${handle}/terminal`)
  await phone.sees(phone.page.getByText('a paired device has no terminal'))
  expect(await phone.page.getByRole('button', { name: 'Open a shell' }).count()).toBe(0)
})

/** Names the window, takes the clipboard, makes a link, wants the mouse and the focus, and asks for answers. */
const HOSTILE = String.raw`printf 'DRAWN-FIRST\n\033]0;stolen\007\033]2;stolen\007\033]52;c;c3RvbGVu\007\033[?1003h\033[?1004h\033[?1006h'
printf '\033]8;;https://example.org/\007LINK\033]8;;\007\n\033[6n\033[c\033[5n\033]10;?\007\033[18t\033[21t\033P$qm\033\\'
printf '<script>window.hacked=1</script>\n\033[31mDRAWN-LAST\033[0m\n'`

test('what an agent writes is drawn while it writes, and does nothing', async ({ visits, daemon }) => {
  const agents = join(daemon.place.folder('home'), '.config', 'divisi', 'agents')
  mkdirSync(agents, { recursive: true })
  const script = join(daemon.place.folder('tools'), 'hostile.sh')
  const go = join(daemon.place.folder('tools'), 'go')
  const waits = `while ! test -e ${go}; do sleep 0.05; done; printf 'DRAWN-LIVE\\n'`
  writeFileSync(script, `${HOSTILE}\n${waits}\n`)
  const definition = `title = "Hostile"\ndrive = "exec"\ncommand = ["sh", "${script}"]\n\n[exec]\nprompt = "stdin"\noutput = "text"\n`
  writeFileSync(join(agents, 'hostile.toml'), definition)
  const task = await daemon.give(daemon.repository(), '', { title: 'Writes', agents: ['hostile'] })

  const desk = await visits(DESK)
  const { page } = desk
  await desk.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: desk.origin })
  await desk.open(`/tasks/${task.handle}/terminal`)
  await page.evaluate(() => navigator.clipboard.writeText('mine'))
  const sent: string[] = []
  page.on('websocket', (socket) => sent.push(socket.url()))
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(request.url())
  })
  page.on('popup', (popup) => sent.push(popup.url()))
  await page.getByRole('button', { name: 'What the agent wrote' }).click()
  const journal = page.getByRole('region', { name: /^What the agent of/ })
  await desk.sees(journal)
  await shows(desk, 'DRAWN-LAST', journal)
  await shows(desk, '<script>window.hacked=1</script>', journal)
  const link = await until(
    'the link is drawn',
    async () => (await journal.getByText('LINK').boundingBox()) ?? undefined,
  )
  await page.mouse.move(link.x + 4, link.y + 4)
  await page.mouse.click(link.x + 8, link.y + 8)
  await journal.click()
  await page.keyboard.type('rm -rf /\n')
  await page.mouse.move(300, 300)
  await shows(desk, 'DRAWN-FIRST', journal)
  writeFileSync(go, '')
  await shows(desk, 'DRAWN-LIVE', journal)
  await desk.sees(page.getByText('Its session has ended.'))
  expect(await page.title()).not.toContain('stolen')
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine')
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
  expect(sent).toEqual([])
  expect(await findings(page)).toEqual([])
})

/** Names that nobody vouches for stand everywhere: none of them is shown as something else than it is. */
import type { Daemon } from './support/daemon'
import { waitsFor } from './support/fleet'
import type { Repository } from './support/repository'
import { expect, test } from './support/test'
import { unseen } from './support/unseen'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

/** Turns what follows: `Xgpj.txt` would be read as `Xtxt.jpg`. */
const T = '\u202E'
/** Not seen at all. */
const Z = '\u200B'
const BRANCH = `main${T}niam`

/** Two commits, files and words, and a check that says all of it in its log. */
const WRITES = `
plan
  [x] step ${T}pets
  [ ] ${Z}next
think thought${T}thguoht
write "doc${T}cod.txt" "line ${T}enil\\n"
write calc.py "def add(a, b):\\n    return a + b\\n"
commit first${T}tsrif
write "dir${T}rid/two${Z}.txt" "two\\n"
commit second${T}dnoces
run printf 'out${T}tuo\\n'
say said${T}dias
when prompt contains "${T}"
append "doc${T}cod.txt" "more\\n"
say again
when prompt contains "conflict"
hang
`
const CLASHES = `
write "doc${T}cod.txt" "another\\n"
when prompt contains "conflict"
hang
`
const ASKS = `
ask execute "Run${T}nuR"
  allowed
    say yes
  rejected
    say no
question "Which${T}hcihW" choices one${T}eno, two
  otherwise
    say "${T}"
`

async function fill(daemon: Daemon): Promise<Repository> {
  const repository = daemon.repository(`shop${T}pohs`, {
    'calc.py': 'def add(a, b):\n    return a - b\n',
    'divisi.toml': `[[gates]]\nname = "gate"\ncommand = "printf 'log${T}gol'"\n`,
  })
  repository.git('switch', '--quiet', '--create', BRANCH)
  const give = (script: string, title: string) =>
    daemon.give(repository, script, {
      title: `${title}${T}eltit`,
      permissions: 'all',
      criteria: [{ text: `holds${T}sdloh`, command: `printf 'criterion${T}'` }],
    })
  for (const script of [WRITES, CLASHES]) {
    const task = await give(script, 'Write')
    await daemon.until(task.handle, 'in_review')
  }
  await daemon.post('/v1/tasks/t1/comments', { text: `note${T}eton`, place: null })
  await daemon.post('/v1/tasks/t1/review', { verdict: 'changes_requested', note: `again${T}niaga` })
  await until('the second result is there', async () => (await daemon.results('t1')) === 2)
  await daemon.until('t1', 'in_review')
  for (const handle of ['t1', 't2'])
    await daemon.post(`/v1/tasks/${handle}/review`, { verdict: 'approved', note: `good${T}doog` })
  await daemon.post('/v1/landings', { handles: ['t1', 't2'] })
  await daemon.until('t1', 'done')
  await until('the other does not fit', async () => {
    const { status } = await daemon.task('t2')
    return status.attention !== 'ready_to_land'
  })
  const third = await give(WRITES, 'Review')
  await daemon.until(third.handle, 'in_review')
  await daemon.post(`/v1/tasks/${third.handle}/comments`, { text: `note${T}eton`, place: null })
  const fourth = await daemon.give(repository, ASKS, { title: `Ask${T}ksA` })
  await waitsFor(daemon, fourth, 'permission')
  await daemon.post(`/v1/tasks/${fourth.handle}/send`, { text: `queued${T}deueuq` })
  return repository
}

const PLACES = [
  '/',
  '/inbox',
  '/landing',
  '/fleet',
  '/new',
  '/settings/projects',
  '/settings/files',
  '/review/t1',
  '/review/t2',
  '/review/t3',
  ...['t1', 't2', 't3', 't4'].flatMap((handle) =>
    ['', '/changes', '/evidence', '/snapshots', '/resources'].map((tab) => `/tasks/${handle}${tab}`),
  ),
]

/** Those that are laid out otherwise on a phone. */
const NARROW = ['/', '/inbox', '/landing', '/review/t3', '/tasks/t1', '/tasks/t4', '/tasks/t3/resources']

test('no name turns or hides what stands beside it, on any screen', async ({ daemon, visits }) => {
  await fill(daemon)
  const desk = await visits(DESK)
  const phone = await visits(PHONE)
  for (const visit of [desk, phone])
    for (const place of visit === desk ? PLACES : NARROW) {
      await visit.open(place)
      await visit.settles()
      await plain(visit, place)
    }

  const { page } = desk
  await desk.open('/review/t3')
  await page.getByRole('button', { name: /What is compared$/ }).click()
  const commit = await desk.sees(page.getByRole('menuitemradio', { name: /^Commit/ }))
  expect(await commit.innerText(), 'the subject of a commit').toContain('U+202E')
  await plain(desk, 'the scopes of a review')
  await desk.press('Escape', 'Shift+c')
  await plain(desk, 'the whole of a review')
  await desk.press('Escape', 'j', 'c')
  await desk.sees(page.getByRole('dialog'))
  await plain(desk, 'the words on a file')

  await desk.open('/tasks/t3/evidence')
  await page
    .getByRole('button', { name: /^Log of/ })
    .first()
    .click()
  await desk.sees(page.getByRole('dialog'))
  await plain(desk, 'the log of a check')

  await desk.open('/new')
  await page.getByRole('combobox', { name: 'What is wanted' }).pressSequentially('@doc')
  await desk.sees(page.getByRole('option', { name: /^doc/ }))
  await plain(desk, 'the paths of a prompt')

  await desk.open('/')
  await desk.press('Control+k')
  await desk.sees(page.getByRole('dialog'))
  await plain(desk, 'the palette')
})

async function plain(visit: Visit, place: string): Promise<void> {
  expect(await visit.page.evaluate(unseen), `${place} on a ${visit.size.name}`).toEqual([])
}

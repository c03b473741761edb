/** A page that was cut off says so, goes on from where it was, and shows nothing twice. */
import { Line } from './support/line'
import { expect, test } from './support/test'
import { until } from './support/until'
import { PHONE, type Visit } from './support/visit'

/** What the console says of requests that do not arrive; here they are meant to fail. */
const CUT_OFF = /Failed to load resource|ERR_(CONNECTION|INTERNET|NETWORK|EMPTY|INCOMPLETE)/

const HEARD = /has not been heard for (\d+) (s|min)/

test('the daemon is killed and comes back', async ({ desk, daemon }) => {
  desk.excuse(CUT_OFF)
  const repository = daemon.repository()
  const still = await daemon.give(repository, 'hang', { title: 'Works on' })
  await desk.open('/')
  await desk.sees(desk.column('working').getByText('Works on'))
  await mark(desk)

  const paused = await daemon.give(repository, 'sleep 2s\nwrite done.txt "x"', { title: 'Ends meanwhile' })
  await desk.sees(desk.column('working').getByText('Ends meanwhile'))
  await daemon.kill()
  await away(desk)
  await daemon.serve()
  await daemon.until(paused.handle, 'in_review')
  await back(desk)
  await desk.sees(desk.column('in_review').getByText('Ends meanwhile'))
  await once(desk, 'Ends meanwhile', 'Works on')
  await daemon.post(`/v1/tasks/${still.handle}/stop`)
  await desk.sees(desk.column('done').getByText('Works on'))
  await once(desk, 'Ends meanwhile', 'Works on')
})

test('the network is cut and comes back', async ({ visits, daemon }) => {
  const line = await Line.lay()
  const phone = await visits(PHONE, { line })
  phone.excuse(CUT_OFF)
  const repository = daemon.repository()
  await daemon.give(repository, 'hang', { title: 'Before' })
  await phone.open('/')
  await phone.page.getByRole('group', { name: 'Columns' }).getByRole('button', { name: 'Working' }).tap()
  await phone.sees(phone.column('working').getByText('Before'))
  await mark(phone)
  line.cut()
  await away(phone)
  await daemon.give(repository, 'hang', { title: 'Meanwhile' })
  line.mend()
  await back(phone)
  await phone.sees(phone.column('working').getByText('Meanwhile'))
  await once(phone, 'Before', 'Meanwhile')
  await line.end()
})

test('a laptop that slept knows at once that its page is old', async ({ desk, daemon }) => {
  desk.excuse(CUT_OFF)
  await desk.page.clock.install()
  await daemon.give(daemon.repository(), 'hang', { title: 'Works on' })
  await desk.open('/')
  await desk.sees(desk.column('working').getByText('Works on'))
  await mark(desk)
  await desk.page.clock.fastForward('10:00')
  await back(desk)
  await once(desk, 'Works on')
})

/** Leaves a mark in the page that a reload would take away. */
function mark(visit: Visit): Promise<unknown> {
  return visit.page.evaluate(() => Object.assign(window, { theSame: true }))
}

/** Waits until the page says that it hears nothing, for longer than it forgives in silence. */
async function away(visit: Visit): Promise<void> {
  await until('the page says for how long it has heard nothing', async () => {
    const said = HEARD.exec(await visit.page.getByRole('main').innerText())
    return said !== null && (said[2] === 'min' || Number(said[1]) >= 4)
  })
}

/** Waits until the page says that it was away; it was not loaded again. */
async function back(visit: Visit): Promise<void> {
  await visit.sees(visit.page.getByText(/This page was away for/))
  expect(await visit.page.getByText(HEARD).count()).toBe(0)
  expect(await visit.page.evaluate(() => 'theSame' in window), 'it was not loaded again').toBe(true)
}

async function once(visit: Visit, ...titles: string[]): Promise<void> {
  for (const title of titles) {
    const cards = visit.page.getByRole('main').getByRole('article').filter({ hasText: title })
    await until(`${title} is shown once`, async () => (await cards.count()) === 1)
  }
}

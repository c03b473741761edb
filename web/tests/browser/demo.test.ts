/** The demonstration as a person at a terminal sees it: by its link, while it runs. */
import { DIVISI } from './support/place'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK } from './support/visit'

/** Runs what follows it at a terminal of its own. */
const AT_A_TERMINAL = 'import pty, sys; pty.spawn(sys.argv[1:])'

test('its link leads to a board on which the tasks are seen at work', async ({ daemon, visits }) => {
  const visit = await visits(DESK, { stranger: true })
  // Before it is in, the daemon tells it nothing.
  visit.excuse(/401/)
  const demo = daemon.program('python3', ['-c', AT_A_TERMINAL, DIVISI, 'demo', '--keep'])
  let said = ''
  demo.stdout?.on('data', (piece: Buffer) => (said += piece.toString()))
  const link = await until('the link', () => /http:\S+\/enter#[0-9a-f]+/.exec(said)?.[0])
  await until('it waits for the page', () => said.includes('It begins when the page is open'))
  expect(said, 'no task is there yet').not.toContain('Fix the pager')

  visit.origin = new URL(link).origin
  await visit.page.goto(link)
  await visit.at('/')
  await visit.sees(visit.column('working').getByText('Fix the pager'))
  await visit.sees(visit.column('needs_you').getByText('Fix money'))
  expect(said, 'nothing has landed before').not.toContain('landed')
})

/** A transcript of 50,000 entries and a change of 2,000 files: they open at once and scroll smoothly. */
import { note, QUICK } from '../support/figures'
import { Meter } from '../support/meter'
import { expect, test } from '../support/test'
import { until } from '../support/until'
import type { Visit } from '../support/visit'

const ENTRIES = QUICK ? 2_000 : 50_000
const FILES = QUICK ? 100 : 2_000
const LINES_EACH = 50
const TIMES = QUICK ? 1 : 5
const FRAMES = 180

/** How many rows stand on the screen once something is open. */
const ROWS_SEEN = 5

test('a long transcript', async ({ daemon, desk }) => {
  const script = `repeat ${ENTRIES / 2}\n  say "A word of many."\n  think "A thought of many."`
  const task = await daemon.give(daemon.repository(), script, { title: 'Says very much' })
  await until(
    'all is said',
    async () => (await daemon.task(task.handle)).status.attention !== 'working',
    300_000,
  )
  await opens(desk, 'transcript', `/tasks/${task.handle}/transcript`, '[data-entry]')
})

test('a large change', async ({ daemon, desk }) => {
  const line = 'value = "one of very many lines that somebody has to look at"'
  const make = `import pathlib
for i in range(${FILES}):
    folder = pathlib.Path(f"package_{i // 50}")
    folder.mkdir(exist_ok=True)
    (folder / f"module_{i}.py").write_text("".join(f'${line}  # {n}\\n' for n in range(${LINES_EACH})))
`
  const repository = daemon.repository('large', { 'make.py': make })
  const task = await daemon.give(repository, 'run python3 make.py', {
    title: 'Change very much',
    permissions: 'all',
  })
  await daemon.until(task.handle, 'in_review')
  await opens(desk, 'diff', `/review/${task.handle}`, '[data-row]')
})

async function opens(desk: Visit, name: string, path: string, row: string): Promise<void> {
  const meter = await Meter.of(desk.page)
  const took: number[] = []
  for (let turn = 0; turn <= TIMES; turn += 1) {
    await desk.open('/')
    await desk.settles()
    const one = await meter.opens(path, row, ROWS_SEEN)
    // The first one also loads the screen's script.
    if (turn > 0 || TIMES === 1) took.push(one)
  }
  note(`${name}_open_ms`, took)
  note(`${name}_frame_ms`, await meter.scrolls(row, FRAMES))
  expect(desk.unexcused).toEqual([])
}

/** A hundred agents say fifty things a second each while somebody looks at them and presses keys. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Daemon } from '../support/daemon'
import { note, QUICK } from '../support/figures'
import { Meter } from '../support/meter'
import { expect, test as base } from '../support/test'
import { until } from '../support/until'
import type { Visit } from '../support/visit'

const AGENTS = QUICK ? 10 : 100
const MINUTE_S = QUICK ? 6 : 60
/** One word, one message of the protocol. */
const SCRIPT = `slow 20ms\nrepeat 100000\n  say "${'All work and no play makes this a long day. '.repeat(5)}"`
const KEY_EACH_MS = 250

const test = base.extend<{ parallel: number }>({ parallel: AGENTS })

test('the board and a transcript while a fleet streams', async ({ daemon, desk }) => {
  const repository = daemon.repository()
  for (let number = 1; number <= AGENTS; number += 1) {
    await daemon.give(repository, SCRIPT, { title: `Says a lot, number ${number}` })
  }
  await until(
    'all agents stream',
    async () => (await daemon.get<{ live_sessions: number }>('/v1/health')).live_sessions === AGENTS,
  )
  await desk.open('/')
  await until(
    'the board shows all',
    async () => (await desk.column('working').getByRole('article').count()) === AGENTS,
  )
  await measure(desk, 'board', ['j', 'j', 'j', 'k'])
  await desk.open('/tasks/t1/transcript')
  await desk.sees(desk.page.getByText('All work and no play').first())
  await measure(desk, 'transcript', ['Tab', 'Tab', 'Shift+Tab'])
  expect(desk.unexcused).toEqual([])
})

/** A minute counts for script and keys; after a second one the heap must be as it was after the first. */
async function measure(visit: Visit, name: string, presses: string[]): Promise<void> {
  const meter = await Meter.of(visit.page)
  await meter.watchKeys()
  const said = messages(visit.daemon)
  const before = await meter.count()
  await press(visit, presses, MINUTE_S)
  const after = await meter.count()
  const seconds = after.at - before.at
  const rate = (messages(visit.daemon) - said) / seconds
  const words = `${AGENTS} agents, ${Math.round(rate / AGENTS)} messages a second each, ${Math.round(seconds)} s`
  note(`${name}_scripting`, [(after.scripting - before.scripting) / seconds], words)
  note(`${name}_busy`, [(after.busy - before.busy) / seconds], words)
  const keys = await meter.keys()
  note(
    `${name}_key_heard_ms`,
    keys.map((key) => key.heard),
  )
  note(
    `${name}_key_painted_ms`,
    keys.map((key) => key.painted),
  )
  const first = await meter.heap()
  await press(visit, presses, MINUTE_S)
  const second = await meter.heap()
  note(
    `${name}_heap_growth`,
    [second / first],
    `${(first / 1e6).toFixed(1)} MB, then ${(second / 1e6).toFixed(1)} MB`,
  )
}

/** Presses keys in turn for so long: the load itself is a matter of time. */
async function press(visit: Visit, presses: string[], seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000
  for (let turn = 0; Date.now() < end; turn += 1) {
    await visit.press(presses[turn % presses.length]!)
    await visit.page.waitForTimeout(KEY_EACH_MS)
  }
}

/** How many messages all agents have sent, by their journals. */
function messages(daemon: Daemon): number {
  const names = readdirSync(daemon.place.root, { recursive: true, encoding: 'utf8' })
  const journals = names.filter((name) => name.endsWith('out.journal'))
  return journals.reduce((sum, name) => sum + lines(readFileSync(join(daemon.place.root, name))), 0)
}

function lines(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) if (byte === 10) count += 1
  return count
}

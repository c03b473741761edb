/** A staged fleet: agents in every state that the board shows, by scripts that the real machinery plays. */
import type { Daemon, Task, Wish } from './daemon'
import type { Repository } from './repository'
import { SHOP } from './shop'
import { until } from './until'

/** The handle of the task in each state. */
export interface Fleet {
  repository: Repository
  done: string
  ready: string
  /** Proven in its second round, after a check had failed. */
  review: string
  /** Proven, with a change in several files. */
  wide: string
  permission: string
  question: string
  working: string
  searching: string
  backlog: string
}

/** How many may work at once, so that the last one has to wait. */
export const FLEET_PARALLEL = 4

/** Gives the tasks out and waits until each stands where it should. */
export async function stage(daemon: Daemon): Promise<Fleet> {
  const repository = daemon.repository('corner-shop', SHOP)
  const give = (script: string, wish: Wish) => daemon.give(repository, script, wish)
  const proven = (script: string, title: string, suite: string) =>
    give(script, { title, checks: [`python3 -m unittest tests.${suite}`], permissions: 'all' })
  const done = await proven(MONEY, 'Round tax half up in whole cents', 'test_money')
  const ready = await proven(SLUG, 'Slugs hold letters, digits and single dashes only', 'test_slug')
  const review = await proven(PAGER, 'Pages count from one, and the last may be short', 'test_pager')
  const wide = await proven(CART, 'The cart knows its total with tax', 'test_cart')
  await Promise.all([done, ready, review, wide].map((task) => daemon.until(task.handle, 'in_review')))
  for (const task of [done, ready]) {
    await daemon.post(`/v1/tasks/${task.handle}/review`, {
      verdict: 'approved',
      note: 'Just what was asked for.',
    })
    await daemon.until(task.handle, 'ready_to_land')
  }
  await daemon.post(`/v1/tasks/${done.handle}/land`)
  await daemon.until(done.handle, 'done')

  const permission = await give(REMOVE, { title: 'Remove the import of the old shop' })
  await waitsFor(daemon, permission, 'permission')
  const question = await give(CURRENCY, { title: 'Show prices in the currency of the visitor' })
  await waitsFor(daemon, question, 'question')
  const working = await give(CACHE, { title: 'Keep prices for an hour before asking again' })
  const searching = await give(SEARCH, { title: 'Search finds plural forms, too', permissions: 'all' })
  await Promise.all([working, searching].map((task) => hangs(daemon, task)))
  const backlog = await give('say "Not yet."', { title: 'Send the receipt by mail after checkout' })
  await daemon.until(backlog.handle, 'backlog')
  const tasks = { done, ready, review, wide, permission, question, working, searching, backlog }
  const handles = Object.entries(tasks).map(([state, task]) => [state, task.handle])
  return { repository, ...(Object.fromEntries(handles) as Omit<Fleet, 'repository'>) }
}

/** Waits until a task waits for an answer of this kind. */
export function waitsFor(daemon: Daemon, given: Task, kind: string): Promise<Task> {
  return until(`${given.handle} waits for a ${kind}`, async () => {
    const task = await daemon.task(given.handle)
    return task.items.some((item) => item.ask.kind === kind && item.answered == null) && task
  })
}

/** Waits until an agent has said all and does nothing more. */
async function hangs(daemon: Daemon, task: Task): Promise<void> {
  await until(`${task.handle} has said all`, async () => {
    const transcript = await daemon.get<unknown>(`/v1/tasks/${task.handle}/transcript`)
    return JSON.stringify(transcript).includes('That is the plan')
  })
}

const MONEY = `
read shop/money.py
edit shop/money.py replace "return int(cents + cents * percent / 100)" with "return cents + (cents * percent + 50) // 100"
usage input 4700 output 220 cost 0.017
say "Tax is rounded half up in whole cents now."
`

const SLUG = `
think Runs of anything else become one dash; none at the ends.
write shop/slug.py
  """Names that are safe in addresses."""

  import re


  def slug(title):
      """\`Hello, World!\` becomes \`hello-world\`."""
      return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
usage input 3900 output 260 cost 0.014
say "Slugs hold letters, digits and single dashes only."
`

/** Forgets half of the defect at first, so that the check sends it back, and mends it then. */
const PAGER = `
plan
  [>] count pages so that a short last page counts
  [ ] count from one
think The number of pages has to be rounded up.
read shop/pager.py
edit shop/pager.py replace "return items // size" with "return -(-items // size)"
usage input 5200 output 310 cost 0.021
say "The number of pages is rounded up now. All tests should pass."

when prompt contains "Checks were run"
think I never looked at page(): it counts from zero.
edit shop/pager.py replace "start = number * size" with "start = (number - 1) * size"
run python3 -m unittest tests.test_pager 2>&1 | tail -3
plan
  [x] count pages so that a short last page counts
  [x] count from one
usage input 6100 output 140 cost 0.019
say "Pages count from one now; this is what the failing check showed."
`

const CART = `
plan
  [>] the total of all lines
  [ ] tax on top
  [ ] a test for both
read shop/cart.py
read shop/money.py
edit shop/cart.py
  replace
    |         self.lines.append((name, cents, count))
  with
    |         self.lines.append((name, cents, count))
    |
    |     def total(self):
    |         """Cents of everything, without tax."""
    |         return sum(cents * count for _, cents, count in self.lines)
    |
    |     def total_with_tax(self, percent=19):
    |         """Cents of everything, with tax on the whole."""
    |         return add_tax(self.total(), percent)
edit shop/cart.py replace "class Cart:" with "from shop.money import add_tax\\n\\n\\nclass Cart:"
write tests/test_cart.py
  import unittest
  from shop.cart import Cart


  class Totals(unittest.TestCase):
      def test_counts_multiply(self):
          cart = Cart()
          cart.add("tea", 250, 2)
          self.assertEqual(cart.total(), 500)

      def test_tax_is_on_the_whole(self):
          cart = Cart()
          cart.add("tea", 250, 2)
          self.assertEqual(cart.total_with_tax(), 595)
append README.md "\\nThe cart gives its total with \`total_with_tax()\`.\\n"
run python3 -m unittest tests.test_cart 2>&1 | tail -3
plan
  [x] the total of all lines
  [x] tax on top
  [x] a test for both
usage input 8200 output 640 cost 0.034
say "The cart knows its total, without tax and with it. Two tests show both."
`

const REMOVE = `
plan
  [x] see who uses it
  [>] remove it
think Nothing imports shop.old_import any more.
read shop/old_import.py
usage input 2100 output 90 cost 0.008
ask delete "Delete shop/old_import.py"
  allowed
    delete shop/old_import.py
    say "It is gone."
  rejected
    say "I left it where it was."
`

const CURRENCY = `
read shop/money.py
usage input 1800 output 120 cost 0.007
question "Where do the rates come from: a table in the repository, or a service asked once a day?" choices A table, A service
  when answer contains "table"
    write shop/rates.py "RATES = {}\\n"
  otherwise
    say "A service, then."
`

const CACHE = `
plan
  [x] find where prices are read
  [>] keep them for an hour
  [ ] forget them when a price changes
  [ ] a test with a clock of its own
think A dictionary with the time of each entry is enough; there are few prices.
read shop/money.py
write shop/cache.py
  """Keeps what was read for some time."""

  import time


  class Cache:
      def __init__(self, seconds, clock=time.monotonic):
          self.seconds, self.clock, self.kept = seconds, clock, {}
usage input 5400 output 380 cost 0.022
say "Prices are kept in one place now. Next they have to be forgotten when one changes. That is the plan."
hang
`

const SEARCH = `
plan
  [>] look how names are compared
  [ ] cut the ending of plurals
read shop/slug.py
run grep -rn "def " shop | sort
usage input 3000 output 150 cost 0.011
say "Names are compared as they are, so \`apples\` never finds \`apple\`. Cutting the ending on both sides mends it. That is the plan."
hang
`

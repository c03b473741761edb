/** Text that nobody vouches for: titles, branches, files and an agent's words neither run nor break or fake the page. */
import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { unseen } from './support/unseen'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

const RUNS = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
const TURNED = 'safe\u202Etxt.exe'
const UNSEEN = 'pay\u200Bpal'
const LONG = 'x'.repeat(10_000)

const SCRIPT = `
think ${RUNS} ${TURNED}
say
  ${RUNS}
  [click](javascript:window.hacked=1) ![x](x" onerror="window.hacked=1)
  <a href="javascript:window.hacked=1" onclick="window.hacked=1">approve all</a>
  <style>main { display: none }</style> <iframe src="https://example.org"></iframe>
  ![away](https://example.org/pixel.png) ${TURNED} ${UNSEEN}
say ${LONG}
write "a<img src=x onerror=window.hacked=1>.html" "${RUNS.replaceAll('"', '\\"')}\\n${TURNED}\\n"
write "${TURNED}" "x\\n"
write "${'d'.repeat(120)}/${'e'.repeat(120)}.txt" "${LONG}\\n"
ask execute "Run ${RUNS.replaceAll('"', '\\"')} ${TURNED}"
  allowed
    say "Thank you."
`

test('nothing of it runs, and everything keeps its place', async ({ daemon, visits }) => {
  const repository = daemon.repository()
  const branch = 'feature/<img/src=x/onerror=window.hacked=1>'
  repository.git('switch', '--quiet', '--create', branch)
  const named = await daemon.give(repository, SCRIPT, { title: `${RUNS} ${TURNED} ${UNSEEN}` })
  const long = await daemon.give(repository, 'hang', { title: LONG })
  await waitsFor(daemon, named, 'permission')
  const desk = await visits(DESK)
  const phone = await visits(PHONE)
  const places = ['/', '/inbox', `/tasks/${named.handle}`, `/tasks/${long.handle}`, '/landing', '/fleet']
  for (const visit of [desk, phone]) await harmless(visit, places)

  await desk.open('/inbox')
  await desk.page.getByText('U+202E').first().waitFor()
  const shown = await desk.page.getByRole('main').innerText()
  expect(shown, 'what is not seen is named').toContain('U+202E')
  expect(shown).not.toMatch(/[\u200B\u202E]/)

  await daemon.post(`/v1/inbox/${named.handle}/answer`, { answer: 'approved' })
  await daemon.until(named.handle, 'in_review')
  const tabs = ['transcript', 'changes', 'evidence', 'snapshots', 'resources']
  const deeper = [`/review/${named.handle}`, ...tabs.map((tab) => `/tasks/${named.handle}/${tab}`)]
  for (const visit of [desk, phone]) await harmless(visit, deeper)
})

async function harmless(visit: Visit, places: string[]): Promise<void> {
  for (const place of places) {
    await visit.open(place)
    await visit.settles()
    const found = await visit.page.evaluate(() => ({
      hacked: 'hacked' in window,
      main: document.querySelector('main')?.checkVisibility() ?? false,
      foreign: [...document.querySelectorAll('main img, iframe, script')].map((one) =>
        one.outerHTML.slice(0, 100),
      ),
      links: [...document.querySelectorAll<HTMLAnchorElement>('a[href]')]
        .map((link) => link.href)
        .filter((href) => !href.startsWith(location.origin) && !href.startsWith('https://')),
    }))
    expect(await visit.page.evaluate(unseen), `${place} shows what cannot be seen`).toEqual([])
    const foreign = found.foreign.filter((html) => !html.includes('src="/') && !html.includes('src="blob:'))
    expect({ ...found, foreign }, place).toEqual({ hacked: false, main: true, foreign: [], links: [] })
    await until(`${place} is not wider than the screen`, async () => {
      const over = await visit.overflows()
      if (over > 0) throw new Error(`${over} pixels on a ${visit.size.name}`)
      return true
    })
  }
}

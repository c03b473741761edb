/** What is told to a person who looks at something else: a notification of the browser and a sound, and only what they chose. */
import type { Daemon } from './support/daemon'
import { waitsFor } from './support/fleet'
import { expect, test } from './support/test'
import { until } from './support/until'
import type { Visit } from './support/visit'

/** What a page would have shown and played. */
interface Told {
  notices: { title: string; body: string; click: () => void }[]
  sounds: number
}

/** A person who allowed notifications and looks elsewhere; Chromium has nowhere to show them, so they are written down. */
async function looksElsewhere(visit: Visit): Promise<void> {
  await visit.context.grantPermissions(['notifications'], { origin: visit.origin })
  await visit.context.addInitScript(() => {
    const told: Told = { notices: [], sounds: 0 }
    const isAllowed = Notification.permission
    class Written {
      static readonly permission = isAllowed
      onclick: (() => void) | null = null
      constructor(title: string, options: { body: string }) {
        told.notices.push({ title, body: options.body, click: () => this.onclick?.() })
      }
      close(): void {}
    }
    class Heard extends AudioContext {
      constructor() {
        super()
        told.sounds += 1
      }
    }
    Object.assign(window, { told, Notification: Written, AudioContext: Heard })
    document.hasFocus = () => false
  })
}

const told = (visit: Visit) =>
  visit.page.evaluate(() => {
    const { notices, sounds } = (window as unknown as { told: Told }).told
    return { notices: notices.map(({ title, body }) => `${title} / ${body}`), sounds }
  })

async function asks(daemon: Daemon, script: string, title: string, kind: string): Promise<void> {
  await waitsFor(daemon, await daemon.give({ path: `${daemon.place.root}/sample` }, script, { title }), kind)
}

test('what waits is told by a notification and a sound, and leads there', async ({ desk, phone, daemon }) => {
  daemon.repository()
  for (const visit of [desk, phone]) {
    await looksElsewhere(visit)
    await visit.open('/settings/notifications')
    const { page } = visit
    await page.getByLabel('Notifications of this browser').check()
    await page.getByLabel('With a sound').check()
    await page.getByLabel('A question waits for an answer').uncheck()
    expect(await visit.overflows()).toBe(0)
  }
  await asks(daemon, 'question "Which?"', 'Asks', 'question')
  await asks(daemon, 'ask delete "Delete calc.py"', 'Deletes', 'permission')
  for (const visit of [desk, phone]) {
    const found = await until('something is told', async () => {
      const found = await told(visit)
      return found.notices.length > 0 && found
    })
    expect(found).toEqual({ notices: ['t2: A permission is asked for / Deletes'], sounds: 1 })
  }
  await desk.page.evaluate(() => (window as unknown as { told: Told }).told.notices[0]!.click())
  await desk.at(/^\/tasks\/t2/)

  // Between its quiet hours a browser is silent; the title counts all the same.
  await phone.page.getByLabel('Quiet hours').check()
  const hour = await phone.page.evaluate(() => new Date().getHours())
  await phone.page.getByRole('combobox', { name: /^from/ }).selectOption(String(hour))
  await phone.page.getByRole('combobox', { name: /^to/ }).selectOption(String((hour + 2) % 24))
  await asks(daemon, 'ask delete "Delete test_calc.py"', 'Deletes more', 'permission')
  await until('three wait', async () => (await phone.page.title()).startsWith('(3) '))
  expect((await told(phone)).notices.length).toBe(1)
  await until('the desk is told', async () => (await told(desk)).notices.length === 2)
})

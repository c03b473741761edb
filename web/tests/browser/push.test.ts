/**
 * Notices while the page is closed: from the switch in the settings to the notification and the place it leads to. Of all that,
 * only the push service of the browser's maker is replaced: what the daemon sends is opened here and handed to Chromium as its
 * own service would.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { CDPSession } from 'playwright-core'

import { kinds } from '../../src/notices'
import type { Daemon } from './support/daemon'
import { waitsFor } from './support/fleet'
import { PushService } from './support/push'
import { expect, test } from './support/test'
import { until } from './support/until'
import { DESK, PHONE, type Visit } from './support/visit'

const CLOSED = 'Notifications while the page is closed'

async function configure(daemon: Daemon, push: string): Promise<void> {
  const config = join(daemon.place.folder('home'), '.config', 'divisi', 'config.toml')
  writeFileSync(config, `parallel = 8\n[push]\n${push}\n`)
  await daemon.kill()
  await daemon.serve()
}

/** Lets the page subscribe at our service, as it would at that of the browser's maker. */
async function offer(visit: Visit, service: PushService): Promise<void> {
  await visit.context.grantPermissions(['notifications'], { origin: visit.origin })
  await visit.page.addInitScript((json) => {
    if (location.protocol !== 'http:') return
    const kept = () => (localStorage.getItem('test.subscribed') === null ? null : subscription)
    const subscription = {
      endpoint: json.endpoint,
      options: { applicationServerKey: null as ArrayBuffer | null },
      toJSON: () => json,
      unsubscribe: () => {
        localStorage.removeItem('test.subscribed')
        return Promise.resolve(true)
      },
    }
    const bytes = (key: string) => {
      const text = atob(key.replaceAll('-', '+').replaceAll('_', '/'))
      return Uint8Array.from(text, (one) => one.charCodeAt(0)).buffer
    }
    const key = localStorage.getItem('test.subscribed')
    if (key !== null) subscription.options.applicationServerKey = bytes(key)
    PushManager.prototype.getSubscription = () => Promise.resolve(kept() as unknown as PushSubscription)
    PushManager.prototype.subscribe = (options) => {
      const key = options?.applicationServerKey as string
      localStorage.setItem('test.subscribed', key)
      subscription.options.applicationServerKey = bytes(key)
      return Promise.resolve(subscription as unknown as PushSubscription)
    }
  }, service.subscription)
}

/** How Chromium is handed a message for the page's service worker. */
async function courier(visit: Visit): Promise<(data: string) => Promise<void>> {
  const session: CDPSession = await visit.context.newCDPSession(visit.page)
  let registrationId = ''
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find((one) => !one.isDeleted)?.registrationId ?? registrationId
  })
  await session.send('ServiceWorker.enable')
  await until('the service worker is there', () => registrationId !== '')
  const { origin } = visit
  return async (data) => {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
  }
}

/** The notifications that are shown. */
function shown(visit: Visit): Promise<{ title: string; body: string; tag: string }[]> {
  return visit.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration()
    const all = (await registration?.getNotifications()) ?? []
    return all.map(({ title, body, tag }) => ({ title, body, tag }))
  })
}

test('a browser that subscribed is told while its page is closed, and led to the place', async ({
  visits,
  daemon,
}) => {
  await configure(daemon, 'local_services = true')
  const service = await PushService.start()
  const visit = await visits(DESK, { serviceWorker: true })
  await offer(visit, service)
  await visit.open('/settings/notifications')
  const closed = visit.page.getByLabel(CLOSED)
  expect(await closed.isChecked()).toBe(false)
  await closed.click()
  await visit.sees(visit.page.getByRole('button', { name: 'Send a test' }))
  const devices = await daemon.get<{ push: boolean }[]>('/v1/devices')
  expect(devices.map((device) => device.push)).toEqual([true])
  const deliver = await courier(visit)
  await visit.page.getByRole('button', { name: 'Send a test' }).click()
  await until('the service has the test', () => service.messages.length === 1)
  await deliver(service.messages[0]!)
  await until('the test is shown', async () => (await shown(visit))[0]?.title === 'Notices come through')
  // The page goes, so nobody looks at it any more.
  await visit.page.goto('about:blank')
  const task = await daemon.give(daemon.repository(), 'ask delete "Delete calc.py?"', { title: 'Tidy up' })
  await waitsFor(daemon, task, 'permission')
  await until('the service has the notice', () => service.messages.length === 2)
  await deliver(service.messages[1]!)
  await visit.open('/')
  await until('the notice is shown, and nothing that the agent said', async () => {
    const notice = (await shown(visit)).find((one) => one.tag === `${task.handle}#1`)
    expect(notice).toEqual({
      title: `${task.handle}: ${kinds.permission}`,
      body: 'Tidy up',
      tag: `${task.handle}#1`,
    })
    return true
  })
  const [worker] = visit.context.serviceWorkers()
  await worker!.evaluate(async (tag) => {
    const own = self as unknown as ServiceWorkerGlobalScope
    const [notification] = await own.registration.getNotifications({ tag })
    own.dispatchEvent(new NotificationEvent('notificationclick', { notification: notification! }))
  }, `${task.handle}#1`)
  await visit.at(`/tasks/${task.handle}`)
  await visit.open('/settings/notifications')
  await closed.click()
  await until('it is not subscribed any more', async () => !(await closed.isChecked()))
  expect((await daemon.get<{ push: boolean }[]>('/v1/devices')).map((device) => device.push)).toEqual([false])
  await service.end()
})

test('what was answered elsewhere is taken away when the page is opened', async ({ visits, daemon }) => {
  const visit = await visits(DESK, { serviceWorker: true })
  await visit.context.grantPermissions(['notifications'], { origin: visit.origin })
  await visit.open('/')
  const deliver = await courier(visit)
  const told = (id: string) => JSON.stringify({ id, title: id, body: '', path: '/inbox' })
  await deliver('no JSON at all')
  // The page that was just opened may still be taking away what needs nobody.
  await until('both are shown', async () => {
    if ((await shown(visit)).length === 2) return true
    await deliver(told('t9#1'))
    return false
  })
  await visit.open('/inbox')
  await until('the first is gone', async () => (await shown(visit)).map((one) => one.tag).join() === 'divisi')
  expect((await shown(visit))[0]?.title).toBe('Something needs you')
  expect(daemon.log).not.toMatch(/panicked/)
})

test('what stands in the way is said', async ({ visits, daemon }) => {
  await configure(daemon, 'enabled = false')
  const visit = await visits(PHONE, { serviceWorker: true })
  await visit.context.grantPermissions(['notifications'], { origin: visit.origin })
  await visit.open('/settings/notifications')
  await visit.sees(visit.page.getByText('Your configuration switches it off'))
  expect(await visit.page.getByLabel(CLOSED).isDisabled()).toBe(true)
  expect(await visit.overflows()).toBeLessThanOrEqual(0)
  await visit.page.goto('about:blank')
  await configure(daemon, 'enabled = true')
  await visit.context.clearPermissions()
  await visit.page.addInitScript(() => {
    Object.defineProperty(Notification, 'permission', { get: () => 'denied' })
  })
  await visit.open('/settings/notifications')
  await visit.sees(visit.page.getByText('The browser refuses notifications of this page').first())
  expect(await visit.page.getByLabel(CLOSED).isDisabled()).toBe(true)
})

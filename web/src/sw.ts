// The service worker: makes the page installable, opens it while the daemon is away, shows what is sent while the page is
// closed, and leads from a notification to its place. It keeps files of the dashboard only; what the daemon says is never
// kept. It imports nothing: not every browser takes a service worker that is a module.

/// <reference lib="webworker" />
const worker = self as unknown as ServiceWorkerGlobalScope

const CACHE = 'divisi-files'
const SHELL = '/'

worker.addEventListener('install', () => void worker.skipWaiting())
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  // A file below `assets` is named by its content, so it is the same for ever.
  if (url.pathname.startsWith('/assets/')) event.respondWith(asset(request))
  else if (request.mode === 'navigate' && !url.pathname.startsWith('/v1/')) event.respondWith(shell(request))
})

async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}

/** The daemon's own shell, and the one that it gave last while it is away. */
async function shell(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  try {
    const answer = await fetch(request)
    if (answer.ok) await keep(cache, answer.clone())
    return answer
  } catch (error) {
    const kept = await cache.match(SHELL)
    if (kept) return kept
    throw error
  }
}

/** Keeps a shell. A new one has files of its own, so those of the one before are given up. */
async function keep(cache: Cache, answer: Response): Promise<void> {
  const before = await cache.match(SHELL)
  if (before && (await before.text()) !== (await answer.clone().text()))
    for (const request of await cache.keys()) await cache.delete(request)
  await cache.put(SHELL, answer)
}

/** What the daemon sends, of `crates/integrations/src/push/message.rs`. */
interface Sent {
  id: string
  title: string
  body: string
  path: string
  since: string
}

// A browser that gets something must show something, or it takes the subscription away.
worker.addEventListener('push', (event) => event.waitUntil(show(event.data)))

async function show(data: PushMessageData | null): Promise<void> {
  const sent = read(data)
  const since = Date.parse(sent.since ?? '')
  const options = {
    body: sent.body ?? '',
    // The same as that of the open page for the same thing, so that it is there once. What takes the place of something
    // else is heard again.
    tag: sent.id ?? 'divisi',
    renotify: sent.id === undefined || sent.id === 'several' || sent.id === 'test',
    icon: '/icon-192.png',
    timestamp: Number.isNaN(since) ? Date.now() : since,
    data: { href: sent.path },
  }
  await worker.registration.showNotification(sent.title ?? 'Something needs you', options)
}

function read(data: PushMessageData | null): Partial<Sent> {
  try {
    const sent: unknown = data?.json()
    return typeof sent === 'object' && sent !== null ? sent : {}
  } catch {
    return {}
  }
}

// The browser has given the subscription another address, or taken it away.
worker.addEventListener('pushsubscriptionchange', (event) =>
  (event as ExtendableEvent).waitUntil(subscribeAgain()),
)

async function subscribeAgain(): Promise<void> {
  const { key } = (await (await fetch('/v1/push')).json()) as { key: string | null }
  if (!key) return
  const subscription = await worker.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  })
  const { endpoint, keys } = subscription.toJSON()
  const body = JSON.stringify({ endpoint, p256dh: keys?.p256dh, auth: keys?.auth })
  await fetch('/v1/push', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { href } = (event.notification.data ?? {}) as { href?: unknown }
  event.waitUntil(
    open(typeof href === 'string' && href.startsWith('/') && !href.startsWith('//') ? href : '/'),
  )
})

/** Leads a window that is open already there, or opens one. */
async function open(href: string): Promise<void> {
  const [window] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (!window) {
    await worker.clients.openWindow(href)
    return
  }
  window.postMessage({ go: href })
  // Where it may not come to the front it shows the place nevertheless.
  await window.focus().catch(() => undefined)
}

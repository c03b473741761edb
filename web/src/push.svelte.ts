// This browser's subscription to notices while its page is closed. Nothing is subscribed before a person asks for it.

import { Failure, get, post, put, remove } from './api/client'
import type { PushSubscriptionView, PushView } from './api/protocol'
import { notify } from './notify.svelte'
import { base64url, hindrance, pushChoices, pushRequest, type Hindrance } from './push'

/** How often a page that is looked at says so; the daemon believes it for a minute. */
const LOOKS_EVERY_MS = 30_000

class Push {
  /** The daemon's key; none until it was asked for, and null where push is switched off. */
  private key = $state.raw<string | null>()
  private told = $state.raw<PushSubscriptionView | null>(null)
  private hindered = $state<Hindrance>(now())
  private said = false

  /** What stands in the way in this browser. */
  get hindrance(): Hindrance {
    return this.hindered
  }

  /** Whether the daemon's settings switch it off; not known at first. */
  get switchedOff(): boolean {
    return this.key === null
  }

  get subscription(): PushSubscriptionView | null {
    return this.told
  }

  /** Asks the daemon, and tells it anew what it has forgotten of a subscription that this browser still has. */
  async look(): Promise<void> {
    await this.ask()
    const registration = await worker()
    const kept = await registration?.pushManager?.getSubscription()
    if (!kept || !this.key || this.hindered !== null) return
    // Only the key for which it was made can send to it.
    if (base64url(kept.options.applicationServerKey) !== this.key) {
      await kept.unsubscribe()
      await this.subscribe()
    } else if (this.told?.endpoint !== kept.endpoint) await this.tell(kept)
  }

  /** Subscribes, after the person has allowed notifications; has to come from what the person did. */
  async turnOn(): Promise<void> {
    if (Notification.permission === 'default') await Notification.requestPermission()
    this.hindered = now()
    if (this.hindered !== null || Notification.permission !== 'granted') return
    if (!this.key) await this.ask()
    await this.subscribe()
  }

  async turnOff(): Promise<void> {
    const registration = await worker()
    const kept = await registration?.pushManager?.getSubscription()
    await kept?.unsubscribe()
    await remove('/v1/push')
    this.told = null
  }

  /** Tells the daemon what this browser wants to be told now. */
  async choose(): Promise<void> {
    if (!this.told) return
    const kept = await (await worker())?.pushManager?.getSubscription()
    if (kept) await this.tell(kept)
  }

  async test(): Promise<void> {
    try {
      await post('/v1/push/test')
    } finally {
      await this.ask()
    }
  }

  /** Tells the daemon, while it matters, whether this page is looked at. Gives how to end it. */
  watch(): () => void {
    const look = () => void this.say(document.visibilityState === 'visible' && document.hasFocus())
    const leave = () => void this.say(false)
    const timer = setInterval(look, LOOKS_EVERY_MS)
    window.addEventListener('focus', look)
    window.addEventListener('blur', look)
    document.addEventListener('visibilitychange', look)
    window.addEventListener('pagehide', leave)
    look()
    return () => {
      clearInterval(timer)
      window.removeEventListener('focus', look)
      window.removeEventListener('blur', look)
      document.removeEventListener('visibilitychange', look)
      window.removeEventListener('pagehide', leave)
    }
  }

  private async ask(): Promise<void> {
    const view = await get<PushView>('/v1/push')
    this.key = view.key
    this.told = view.subscription
    this.hindered = now()
  }

  private async subscribe(): Promise<void> {
    const registration = await worker()
    if (!registration || !this.key) return
    const wanted = { userVisibleOnly: true, applicationServerKey: this.key }
    const subscription = await registration.pushManager.subscribe(wanted).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw new Failure('not_ready', 'the browser did not subscribe', why)
    })
    await this.tell(subscription)
  }

  private async tell(subscription: PushSubscription): Promise<void> {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const request = pushRequest(subscription.toJSON(), pushChoices(notify.choices, zone))
    if (!request) throw new Failure('not_ready', 'the browser gave no keys with its subscription', '')
    await put('/v1/push', request)
    await this.ask()
  }

  /** Another page of this browser may be looked at, so only what was said is taken back. */
  private async say(looking: boolean): Promise<void> {
    if (!this.told || (!looking && !this.said)) return
    this.said = looking
    await put('/v1/push/looking', { looking }).catch(() => undefined)
  }
}

/** The page's service worker, which takes what is sent. */
function worker(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker?.getRegistration() ?? Promise.resolve(undefined)
}

function now(): Hindrance {
  return hindrance({
    secure: window.isSecureContext,
    worker: 'serviceWorker' in navigator,
    push: 'PushManager' in window,
    notifications: 'Notification' in window,
    standalone: (navigator as { standalone?: boolean }).standalone,
    permission: 'Notification' in window ? Notification.permission : 'default',
  })
}

export const push = new Push()

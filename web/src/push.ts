// Notices while the page is closed: whether this browser can have them, and what it asks of the daemon for them.

import type { PushChoices, PushRequest } from './api/protocol'
import type { Choices, Kind } from './notices'

/** What stands in the way of push, or nothing. */
export type Hindrance = 'insecure' | 'home screen' | 'unsupported' | 'denied' | null

export const hindrances: Record<NonNullable<Hindrance>, string> = {
  insecure:
    'Browsers deliver it only to pages with HTTPS, and to this machine itself. The guide for phones says how to get there.',
  'home screen':
    'An iPhone or iPad delivers it only to a page on the home screen: choose Share, Add to Home Screen, and open it from there.',
  unsupported: 'This browser has no web push.',
  denied: 'The browser refuses notifications of this page: allow them in its settings for this site.',
}

/** What the browser says of itself. */
export interface Browser {
  secure: boolean
  worker: boolean
  push: boolean
  notifications: boolean
  /** An iPhone or iPad: whether the page was opened from the home screen; none for other browsers. */
  standalone: boolean | undefined
  permission: NotificationPermission
}

export function hindrance(browser: Browser): Hindrance {
  if (!browser.secure) return 'insecure'
  if (!browser.push || !browser.worker || !browser.notifications)
    return browser.standalone === false ? 'home screen' : 'unsupported'
  return browser.permission === 'denied' ? 'denied' : null
}

/** What this browser wants to be told, as the daemon wants to hear it. */
export function pushChoices({ kinds, quiet }: Choices, zone: string): PushChoices {
  const wanted = (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind])
  return { kinds: wanted, quiet: quiet && { ...quiet, zone } }
}

/** A subscription as the daemon wants to hear it; none where the browser gives no keys. */
export function pushRequest(subscription: PushSubscriptionJSON, choices?: PushChoices): PushRequest | null {
  const { endpoint, keys } = subscription
  if (!endpoint || !keys?.p256dh || !keys.auth) return null
  return { endpoint, p256dh: keys.p256dh, auth: keys.auth, ...(choices && { choices }) }
}

/** Bytes in base64url, as the daemon writes its key. */
export function base64url(bytes: ArrayBuffer | null): string {
  if (!bytes) return ''
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

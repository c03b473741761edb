import { expect, test } from 'vitest'

import { usual } from './notices'
import { base64url, hindrance, hindrances, pushChoices, pushRequest, type Browser } from './push'

const able: Browser = {
  secure: true,
  worker: true,
  push: true,
  notifications: true,
  standalone: undefined,
  permission: 'default',
}

test('what stands in the way is named, and what a person can do about it', () => {
  expect(hindrance(able)).toBe(null)
  expect(hindrance({ ...able, permission: 'granted' })).toBe(null)
  expect(hindrance({ ...able, permission: 'denied' })).toBe('denied')
  expect(hindrance({ ...able, secure: false, worker: false, push: false })).toBe('insecure')
  expect(hindrance({ ...able, push: false })).toBe('unsupported')
  expect(hindrance({ ...able, push: false, notifications: false, standalone: false })).toBe('home screen')
  expect(hindrance({ ...able, standalone: true })).toBe(null)
  expect(hindrances['home screen']).toMatch(/Add to Home Screen/)
})

test('choices of the page are those of its notices while it is closed, in its own time', () => {
  const choices = { ...usual, quiet: { from: 22, to: 7 } }
  expect(pushChoices(choices, 'Europe/Vienna')).toEqual({
    kinds: ['permission', 'question', 'review', 'stall', 'failed'],
    quiet: { from: 22, to: 7, zone: 'Europe/Vienna' },
  })
  expect(pushChoices(usual, 'UTC').quiet).toBe(null)
})

test('a subscription is told with its keys or not at all', () => {
  const keys = { p256dh: 'a', auth: 'b' }
  expect(pushRequest({ endpoint: 'https://x', keys })).toEqual({ endpoint: 'https://x', ...keys })
  expect(pushRequest({ endpoint: 'https://x' })).toBe(null)
  expect(pushRequest({ keys })).toBe(null)
  const bytes = new Uint8Array([251, 255, 254, 1]).buffer
  expect([base64url(bytes), base64url(null)]).toEqual(['-__-AQ', ''])
})

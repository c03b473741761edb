import { expect, test } from 'vitest'

import { outline } from './qr'

test('each run of dark modules is one rectangle', () => {
  expect(outline(['0110', '1001'])).toBe('M1 0h2v1h-2zM0 1h1v1h-1zM3 1h1v1h-1z')
  expect(outline([])).toBe('')
})

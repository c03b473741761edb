/**
 * What is driven in a real browser against the real daemon: tests, and by name the screenshots and the load.
 *
 * `cargo xtask browser`, `cargo xtask screenshots` and `cargo xtask bench dashboard` start these.
 */
import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vitest/config'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const MINUTE_MS = 60_000

export default defineConfig({
  root: HERE,
  cacheDir: fileURLToPath(new URL('../../node_modules/.vite', import.meta.url)),
  test: {
    environment: 'node',
    pool: 'forks',
    // A worker loads playwright and starts Chromium once for all of its files; every test has a daemon and a context of its own.
    isolate: false,
    // As many as the smallest machine has cores; a browser and a daemon are busy beside each.
    maxWorkers: 2,
    // A test that passes only at its second try is broken.
    retry: 0,
    testTimeout: 2 * MINUTE_MS,
    hookTimeout: MINUTE_MS,
    projects: [
      { extends: true, test: { name: 'browser', include: ['*.test.ts'] } },
      {
        extends: true,
        test: { name: 'screenshots', include: ['screenshots/*.test.ts'], testTimeout: 10 * MINUTE_MS },
      },
      {
        extends: true,
        test: {
          name: 'load',
          include: ['load/*.test.ts'],
          testTimeout: 10 * MINUTE_MS,
          fileParallelism: false,
        },
      },
    ],
  },
})

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// In development the daemon stands behind Vite: `cargo xtask dev` says where it is and what it wants to hear.
const daemon = process.env.DIVISI_DEV_DAEMON
const token = process.env.DIVISI_DEV_TOKEN

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw.ts' },
      // The service worker rules what lies beside it, so it stands at the top, under a name that stays.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  ...(daemon && {
    server: {
      proxy: {
        '/v1': {
          target: daemon,
          changeOrigin: true,
          ws: true,
          headers: { authorization: `Bearer ${token}`, origin: daemon },
        },
      },
    },
  }),
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'happy-dom',
    restoreMocks: true,
  },
  // Components under test run as in a browser, not as on a server.
  ...(process.env.VITEST && { resolve: { conditions: ['browser'] } }),
})

import './tokens.css'

import { mount } from 'svelte'

import App from './App.svelte'
import { router } from './router.svelte'

const target = document.getElementById('app')
if (!target) throw new Error('index.html has no #app')
mount(App, { target })

// Browsers offer it over HTTPS and on this machine only.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ go?: unknown }>) => {
    if (typeof event.data?.go === 'string') router.go(event.data.go)
  })
  navigator.serviceWorker
    .register('/sw.js')
    .catch((error: unknown) => console.warn('no service worker', error))
}

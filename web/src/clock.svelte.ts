// One clock for all times on the page, so that they turn together and cost one timer.

import { live } from './api/live.svelte'

class Clock {
  private ticks = $state(0)

  constructor() {
    setInterval(() => this.ticks++, 5_000)
  }

  /** Now by the daemon's clock, in milliseconds; read in a template it stays current. */
  get now(): number {
    void this.ticks
    return Date.now() + live.clockSkewMs
  }
}

export const clock = new Clock()

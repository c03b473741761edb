/** The system's Chromium, which meets nobody but the daemon. */
import { existsSync } from 'node:fs'

import { chromium, type Browser } from 'playwright-core'

/** `cargo xtask` names the one that it found. */
const PROGRAM = process.env.DIVISI_CHROMIUM ?? '/usr/bin/chromium'

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing but the machine itself is looked up or reached, whatever the page or the browser itself may want.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
  '--no-proxy-server',
]

/** Starts one with a profile of its own, which goes when it ends. */
export async function launch(further: string[] = []): Promise<Browser> {
  if (!existsSync(PROGRAM)) {
    throw new Error(
      `${PROGRAM} is not there; \`sudo apt-get install -y --no-install-recommends chromium\` brings it`,
    )
  }
  return chromium.launch({
    executablePath: PROGRAM,
    headless: true,
    chromiumSandbox: false,
    args: [...FLAGS, ...further],
  })
}

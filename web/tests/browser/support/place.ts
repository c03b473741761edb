/** A folder of one test file's own below the target folder, and the end of everything that was started in it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const WEB = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')

/** The target folder: `cargo xtask` names it; else cargo's usual one. */
export const TARGET = resolve(process.env.DIVISI_TARGET ?? join(WEB, '..', 'target'))

/** The program under test. */
export const DIVISI = resolve(process.env.DIVISI_BIN ?? join(TARGET, 'debug', 'divisi'))

/** Where a failing test leaves what it saw. */
export const FAILURES = join(TARGET, 'browser')

export class Place {
  readonly root: string

  constructor() {
    const parent = join(TARGET, 'tmp')
    mkdirSync(parent, { recursive: true })
    // The name is short because paths of unix sockets have little room.
    this.root = mkdtempSync(join(parent, 'w-'))
  }

  /** A folder in it, made if need be. */
  folder(name: string): string {
    const path = join(this.root, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }

  /** A file's text, or nothing where there is none yet. */
  read(name: string): string {
    try {
      return readFileSync(join(this.root, name), 'utf8')
    } catch {
      return ''
    }
  }

  /** Kills whatever lives in it, by process id, and removes it. */
  async end(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const living = processesIn(this.root)
      if (living.length === 0) break
      for (const pid of living) kill(pid)
      await new Promise((next) => setTimeout(next, 10))
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Copies a file of it to where failures are kept. */
  keep(name: string, as: string): void {
    cpSync(join(this.root, name), join(FAILURES, as), { force: true })
  }
}

/** Every living process whose environment, working folder or arguments lie below `root`; zombies are not. */
function processesIn(root: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && belongs(pid, root))
}

function belongs(pid: number, root: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
    if (command === '') return false
    if (command.includes(root)) return true
    return (
      readFileSync(`/proc/${pid}/environ`, 'latin1').includes(root) ||
      readlinkSync(`/proc/${pid}/cwd`).startsWith(root)
    )
  } catch {
    // It ended meanwhile, or is none of ours.
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

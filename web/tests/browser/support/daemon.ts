/** The real `divisi serve` with a home of its own, and its HTTP interface as any program uses it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { DIVISI, Place } from './place'
import { Repository, type Files } from './repository'
import { until } from './until'

/** What a daemon says of itself in `daemon.json`. */
interface DaemonRecord {
  address: string
  token: string
  pid: number
}

/** As much of a task as tests look at; the page's own types are those of `src/api/protocol.ts`. */
export interface Task {
  handle: string
  title: string
  status: { attention: string; state: string; reason: string }
  attempts: { handle: string; status: { attention: string; state: string } }[]
  items: { handle: string; ask: { kind: string }; answered?: unknown }[]
}

/** What a task is given out with, besides its prompt and repository. */
export interface Wish {
  title?: string
  checks?: string[]
  criteria?: { text: string; command?: string }[]
  agents?: string[]
  attempts?: number
  permissions?: 'ask' | 'edits' | 'all'
  budget?: string
  stage?: boolean
}

export class Daemon {
  private child: ChildProcess | undefined
  private port = 0

  private constructor(
    readonly place: Place,
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  /** Starts one. `parallel` is how many attempts work at once. */
  static async start(parallel = 8): Promise<Daemon> {
    if (!existsSync(DIVISI)) {
      throw new Error(
        `${DIVISI} is not there: \`cargo build --package divisi-cli\` builds it, \`cargo xtask browser\` does both`,
      )
    }
    const place = new Place()
    const daemon = new Daemon(place, environment(place))
    const config = join(place.folder('home'), '.config', 'divisi')
    mkdirSync(config, { recursive: true })
    writeFileSync(join(config, 'config.toml'), `parallel = ${parallel}\n`)
    await daemon.serve()
    return daemon
  }

  /** The address of the page. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The token that programs show. */
  get token(): string {
    return this.record().token
  }

  /** Everything that it wrote to its log. */
  get log(): string {
    return this.place.read('serve.log')
  }

  /** Starts it again on the same port, after `kill`. */
  async serve(): Promise<void> {
    const log = createWriteStream(join(this.place.root, 'serve.log'), { flags: 'a' })
    await new Promise((opened) => log.once('open', opened))
    const child = spawn(DIVISI, ['serve', '--port', String(this.port)], {
      cwd: this.place.root,
      env: this.variables,
      stdio: ['ignore', log, log],
    })
    this.child = child
    await until('the daemon answers', async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${this.log}`)
      const record = this.record()
      if (record.pid !== child.pid) return false
      const answer = await fetch(`http://${record.address}/healthz`)
      this.port = Number(record.address.split(':')[1])
      return answer.ok
    })
  }

  /** Ends it as a power cut would; agents live on. */
  async kill(): Promise<void> {
    const child = this.child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((ended) => child.once('exit', ended))
    child.kill('SIGKILL')
    await gone
  }

  /** Ends it and all that it started, and removes its folder. */
  async end(): Promise<void> {
    await this.kill()
    await this.place.end()
  }

  /** Starts another program with the same environment; it ends with the daemon. */
  program(name: string, args: string[]): ChildProcess {
    return spawn(name, args, { cwd: this.place.root, env: this.variables, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** A repository beside its home. */
  repository(name = 'sample', files?: Files): Repository {
    return Repository.make(join(this.place.root, name), this.variables, files)
  }

  /** Gives a task to a rehearsal agent that follows `script`. */
  async give(repository: { path: string }, script: string, wish: Wish = {}): Promise<Task> {
    const prompt = `${wish.title ?? 'Do as the script says'}\n\n\`\`\`rehearsal\n${script.trim()}\n\`\`\`\n`
    return this.post<Task>('/v1/tasks', { root: repository.path, prompt, agents: ['rehearsal'], ...wish })
  }

  task(handle: string): Promise<Task> {
    return this.get<Task>(`/v1/tasks/${handle}`)
  }

  /** How many results its first attempt has brought. */
  async results(handle: string): Promise<number> {
    const task = await this.get<{ attempts: { results: unknown[] }[] }>(`/v1/tasks/${handle}`)
    return task.attempts[0]?.results.length ?? 0
  }

  /** Waits until a task stands in a column. */
  until(handle: string, attention: string): Promise<Task> {
    return until(`${handle} is ${attention}`, async () => {
      const task = await this.task(handle)
      if (task.status.attention === attention) return task
      throw new Error(`it is ${task.status.attention}: ${task.status.state}, ${task.status.reason}`)
    })
  }

  get<T>(path: string): Promise<T> {
    return this.ask<T>('GET', path)
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.ask<T>('POST', path, body)
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` }
    const asked: RequestInit = { method, headers }
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      asked.body = JSON.stringify(body)
    }
    const answer = await fetch(this.url + path, asked)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  private record(): DaemonRecord {
    return JSON.parse(
      readFileSync(join(this.place.root, 'home/.local/state/divisi/daemon.json'), 'utf8'),
    ) as DaemonRecord
  }
}

/** What every program of a place sees: nothing of the real user but where programs are. */
function environment(place: Place): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH ?? ['/usr/bin', '/bin'].join(delimiter),
    HOME: place.folder('home'),
    TMPDIR: place.folder('tmp'),
    XDG_RUNTIME_DIR: place.folder('run'),
    GIT_AUTHOR_NAME: 'Ada Example',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada Example',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CEILING_DIRECTORIES: place.root,
    PYTHONDONTWRITEBYTECODE: '1',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  }
}

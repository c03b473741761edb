/** Real git repositories for the daemon to work on. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files by path. */
export type Files = Record<string, string>

/** A small program with a test that its gate runs. */
export const SAMPLE: Files = {
  'README.md': '# Sample\n\nA small calculator.\n',
  'calc.py': 'def add(a, b):\n    return a - b\n',
  'test_calc.py': 'import calc\n\nassert calc.add(2, 2) == 4, "two and two make four"\n',
  'divisi.toml': '[[gates]]\nname = "compiles"\ncommand = "python3 -c \'import calc\'"\n',
  '.gitignore': '__pycache__/\n',
}

export class Repository {
  constructor(
    readonly path: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** A new one on branch `main` with one commit. */
  static make(path: string, environment: NodeJS.ProcessEnv, files: Files = SAMPLE): Repository {
    mkdirSync(path, { recursive: true })
    const repository = new Repository(path, environment)
    repository.git('init', '--quiet', '--initial-branch=main')
    repository.commit('The beginning', files)
    return repository
  }

  /** Writes files and commits everything. */
  commit(message: string, files: Files): string {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
    this.git('add', '--all')
    this.git('commit', '--quiet', '--no-verify', '-m', message)
    return this.git('rev-parse', 'HEAD')
  }

  /** What git says, without the last line break. */
  git(...args: string[]): string {
    const options = { cwd: this.path, env: this.environment, encoding: 'utf8' as const, maxBuffer: 64 << 20 }
    return execFileSync('git', args, options).trimEnd()
  }

  /** A file of the checkout. */
  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8')
  }
}

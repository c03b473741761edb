/** What was measured, for `cargo xtask bench dashboard`, which holds it against the bars. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { TARGET } from './place'

const PATH = process.env.DIVISI_FIGURES ?? join(TARGET, 'dashboard-figures.json')

/** Few seconds and small amounts: shows that it works, not how fast. */
export const QUICK = process.env.DIVISI_QUICK === '1'

/** Adds samples of one figure, and whatever else has to be known of it. */
export function note(figure: string, samples: number[], words = ''): void {
  const all = read()
  all[figure] = { samples, words }
  writeFileSync(PATH, JSON.stringify(all))
  console.log(`${figure}: ${samples.length > 8 ? summary(samples) : samples.map(round).join(', ')} ${words}`)
}

export function percentile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * (sorted.length - 1))] ?? 0
}

function summary(samples: number[]): string {
  const at = (share: number) => round(percentile(samples, share))
  return `median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}, n = ${samples.length}`
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function read(): Record<string, { samples: number[]; words: string }> {
  try {
    return JSON.parse(readFileSync(PATH, 'utf8')) as ReturnType<typeof read>
  } catch {
    return {}
  }
}

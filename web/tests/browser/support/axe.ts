/** What axe finds on a screen; only what is serious or critical counts. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import type { Page } from 'playwright-core'

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Found {
  id: string
  impact: string | null
  help: string
  nodes: { target: unknown[]; failureSummary?: string }[]
}

/** What other colours can change. */
export const COLOURS = ['color-contrast', 'link-in-text-block']

/** Sentences about every serious or critical finding of all rules, or of these; the page's content policy stays as it is. */
export async function findings(page: Page, rules?: string[]): Promise<string[]> {
  await page.evaluate(SOURCE)
  const found = await page.evaluate(async (rules) => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: Found[] }> } }
    const only = rules && { runOnly: { type: 'rule', values: rules } }
    return (await axe.run({ resultTypes: ['violations'], ...only })).violations
  }, rules)
  return found
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .flatMap((one) =>
      one.nodes.map((node) => `${one.id} (${one.help}): ${node.target.join(' ')} ${reason(node)}`),
    )
}

function reason(node: Found['nodes'][number]): string {
  return (node.failureSummary ?? '').split('\n').slice(1).join('; ').trim()
}

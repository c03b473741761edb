// Syntax colours as classes, since the page allows no inline style. The highlighter is loaded with the first file that it knows.

import type { createLowlight } from 'lowlight'

import type { HunkView } from '../../api/protocol'
import type { Span } from './segments'

type Lowlight = ReturnType<typeof createLowlight>
type Tree = ReturnType<Lowlight['highlight']>

/** Most letters of a hunk that are painted; a longer one stays plain. */
const LETTERS_MAX = 60_000

const BY_ENDING: Record<string, string> = {
  bash: 'bash', c: 'c', cc: 'cpp', cjs: 'javascript', cpp: 'cpp', cs: 'csharp', css: 'css', cts: 'typescript',
  diff: 'diff', go: 'go', graphql: 'graphql', h: 'c', hpp: 'cpp', htm: 'xml', html: 'xml', ini: 'ini', java: 'java',
  js: 'javascript', json: 'json', jsonl: 'json', jsx: 'javascript', kt: 'kotlin', less: 'less', lua: 'lua',
  m: 'objectivec', md: 'markdown', mjs: 'javascript', mk: 'makefile', mts: 'typescript', php: 'php', pl: 'perl',
  py: 'python', r: 'r', rb: 'ruby', rs: 'rust', scss: 'scss', sh: 'bash', sql: 'sql', svelte: 'xml', svg: 'xml',
  swift: 'swift', toml: 'ini', ts: 'typescript', tsx: 'typescript', vb: 'vbnet', vue: 'xml', xml: 'xml', yaml: 'yaml',
  yml: 'yaml', zsh: 'bash',
} // prettier-ignore

/** The highlighter's name for a file's language; none where it knows none. */
export function languageOf(path: string): string | null {
  const name = path.replace(/"$/, '').split('/').at(-1)?.toLowerCase() ?? ''
  if (name === 'makefile') return 'makefile'
  return BY_ENDING[name.split('.').at(-1) ?? ''] ?? null
}

let loading: Promise<Lowlight> | undefined

function load(): Promise<Lowlight> {
  loading ??= import('lowlight').then(({ common, createLowlight }) => createLowlight(common))
  return loading
}

/** The lines of a hunk in their colours; none where they stay plain. Both sides are read as whole texts. */
export async function paint(hunk: HunkView, language: string): Promise<Span[][] | null> {
  const letters = hunk.lines.reduce((sum, line) => sum + line.text.length + 1, 0)
  if (letters > LETTERS_MAX) return null
  const lowlight = await load()
  const side = (without: 'added' | 'removed') => {
    const lines = hunk.lines.filter((line) => line.kind !== without).map((line) => line.text)
    return lines.length > 0 ? byLine(lowlight.highlight(language, lines.join('\n'))) : []
  }
  const [before, after] = [side('added'), side('removed')]
  let [i, j] = [0, 0]
  return hunk.lines.map((line) => {
    const spans = (line.kind === 'removed' ? before[i] : after[j]) ?? []
    if (line.kind !== 'added') i++
    if (line.kind !== 'removed') j++
    // What does not give the very same text is not trusted with it.
    return spans.map((span) => span.text).join('') === line.text ? spans : [{ text: line.text, look: '' }]
  })
}

/** A tree of marked text as lines of spans. */
export function byLine(tree: Tree): Span[][] {
  const lines: Span[][] = [[]]
  const walk = (nodes: readonly Tree['children'][number][], look: string) => {
    for (const node of nodes) {
      if (node.type === 'text') {
        for (const [index, text] of node.value.split('\n').entries()) {
          if (index > 0) lines.push([])
          if (text !== '') lines.at(-1)?.push({ text, look })
        }
      } else if (node.type === 'element') {
        const names = node.properties.className
        walk(node.children as Tree['children'], Array.isArray(names) ? names.join(' ') : look)
      }
    }
  }
  walk(tree.children, '')
  return lines
}

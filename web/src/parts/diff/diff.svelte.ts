// A comparison as a screen reads it: the list of files first, then hunks as they come near, and marks on what was viewed.

import { get, path, post } from '../../api/client'
import type { CommentView, DiffFileView, DiffView, HunkView, LinesView, TaskView } from '../../api/protocol'
import { toasts } from '../../toasts.svelte'
import { languageOf, paint } from './paint'
import { block, findTop, guessed, rowsOf, spotOf, widened, type Block, type Sizes, type Spot } from './rows'
import { changedWords, type Range, type Span } from './segments'
import { treeOf } from './tree'

/** Files whose hunks are asked for at once, and lines after which no more are added. */
const FILES_AT_ONCE = 60
const LINES_AT_ONCE = 4_000
/** Lines that one press shows more of. */
const MORE_LINES = 20

/** What is compared, as the address of the request says it. */
export interface Scope {
  scope: 'result' | 'live' | 'turn' | 'review' | 'between'
  turn?: number
  from?: string
  to?: string
}

export class Diff {
  view = $state.raw<DiffView | null>(null)
  failed = $state<string | null>(null)
  /** What is compared in the view. */
  scope = $state('')
  files = $state.raw<DiffFileView[]>([])
  folded = $state.raw<ReadonlySet<string>>(new Set())
  /** The files that are shown to their last line. */
  private ended = $state.raw<ReadonlySet<string>>(new Set())
  comments = $state.raw<readonly CommentView[]>([])
  /** Both sides beside each other. */
  split = $state(false)
  composing = $state.raw<{ path: string; spot: Spot } | null>(null)
  sizes = $state.raw<Sizes>({ line: 20, head: 40, gap: 26, note: 34, picture: 300, columns: 0, measured: {} })
  /** Grows when lines have got their colours. */
  painted = $state(0)

  private read = $state.raw<ReadonlySet<string>>(new Set())
  private asked = new Set<string>()
  private coming = new Set<Promise<void>>()
  private spans = new WeakMap<HunkView, Span[][] | null>()
  private marked = new WeakMap<HunkView, Map<number, Range[]>>()
  private kept = new Map<string, { of: unknown[]; block: Block }>()
  private plain: { hunk: HunkView; language: string }[] = []
  private painting = false
  private load = 0
  private ignoring = false

  /** Every file as rows with their heights. */
  readonly blocks: Block[] = $derived.by(() => {
    const view = this.view
    const byFile = new Map<string, { comment: CommentView; spot: Spot }[]>()
    for (const comment of this.comments) {
      const place = [comment.now, comment.place].find(
        (one) => one && spotOf(one, view?.from ?? '', view?.to ?? ''),
      )
      const spot = spotOf(place, view?.from ?? '', view?.to ?? '')
      if (place && spot) byFile.set(place.file, [...(byFile.get(place.file) ?? []), { comment, spot }])
    }
    return this.files.map((file) => {
      const here = byFile.get(file.path) ?? byFile.get(file.old_path ?? '') ?? NONE
      const composing = this.composing?.path === file.path ? this.composing.spot : null
      const own = here.length > 0 || composing ? this.sizes.measured : null
      const { line, columns } = this.sizes
      const of = [
        file,
        this.read.has(file.path),
        this.folded.has(file.path),
        composing,
        own,
        line,
        columns,
        this.split,
        this.ended.has(file.path),
      ]
      const key = here
        .map(({ comment }) => `${comment.number}:${comment.text.length}:${comment.stage}`)
        .join()
      const known = this.kept.get(file.path)
      if (known && [...of, key].every((value, index) => value === known.of[index])) return known.block
      const rows = rowsOf(
        file,
        this.read.has(file.path),
        this.folded.has(file.path),
        here,
        composing,
        this.split,
        this.ended.has(file.path),
      )
      const made = block(rows, file, this.sizes)
      this.kept.set(file.path, { of: [...of, key], block: made })
      return made
    })
  })

  /** Where each file begins, and last where all end. */
  readonly tops: number[] = $derived.by(() => {
    let top = 0
    return [0, ...this.blocks.map((one) => (top += one.tops.at(-1) ?? 0))]
  })

  readonly viewed = $derived(this.files.filter((file) => file.viewed).length)

  constructor(readonly handle: string) {}

  /** Asks which files differ. What was read of another comparison is forgotten. */
  async open(scope: Scope, ignoring: boolean, id = ''): Promise<void> {
    const load = ++this.load
    const asked = new URLSearchParams({ ignore_whitespace: String(ignoring) })
    for (const [name, value] of Object.entries(scope)) asked.set(name, String(value))
    try {
      const view = await get<DiffView>(`${path('tasks', this.handle, 'diff', 'files')}?${asked}`)
      if (load !== this.load) return
      this.failed = null
      this.ignoring = ignoring
      this.asked = new Set()
      this.kept.clear()
      this.read = new Set()
      this.ended = new Set()
      this.folded = new Set(view.files.filter((file) => file.viewed).map((file) => file.path))
      // In the order of the tree beside them, so that the next file is the one below.
      const inOrder = treeOf(view.files, new Set(), '').flatMap((row) =>
        row.file === null ? [] : [row.file],
      )
      this.files = inOrder.map((index) => view.files[index]!)
      this.view = view
      this.scope = id
    } catch (error) {
      if (load === this.load) this.failed = error instanceof Error ? error.message : String(error)
    }
  }

  /** Reads the hunks of files that are about to be seen. */
  async need(first: number, last: number): Promise<void> {
    const view = this.view
    if (!view) return
    const wanted: DiffFileView[] = []
    let lines = 0
    for (const file of this.files.slice(first, last + 1)) {
      if (this.asked.has(file.path) || file.binary || this.folded.has(file.path)) continue
      lines += guessed(file)
      if (wanted.length >= FILES_AT_ONCE || (wanted.length > 0 && lines > LINES_AT_ONCE)) break
      wanted.push(file)
    }
    if (wanted.length === 0) {
      // Somebody else may have asked for them a moment ago.
      await Promise.all(this.coming)
      return
    }
    const reading = this.readHunks(view, wanted)
    this.coming.add(reading)
    await reading
    this.coming.delete(reading)
  }

  private async readHunks(view: DiffView, wanted: readonly DiffFileView[]): Promise<void> {
    for (const file of wanted) this.asked.add(file.path)
    const load = this.load
    try {
      const files = wanted.map((file) => ({ path: file.path, old_path: file.old_path }))
      const asked = { from: view.from, to: view.to, files, ignore_whitespace: this.ignoring, context: null }
      const found = await post<DiffFileView[]>(path('tasks', this.handle, 'diff', 'hunks'), asked)
      if (load !== this.load) return
      const byPath = new Map(found.map((file) => [file.path, file]))
      this.files = this.files.map((file) => {
        const read = byPath.get(file.path)
        return read ? { ...file, hunks: read.hunks, truncated: read.truncated } : file
      })
      this.read = new Set([...this.read, ...wanted.map((file) => file.path)])
    } catch (error) {
      for (const file of wanted) this.asked.delete(file.path)
      if (load === this.load) toasts.failed(error)
    }
  }

  /** Shows more lines around a change. */
  async widen(file: DiffFileView, hunk: number): Promise<void> {
    const [before, here] = [file.hunks[hunk - 1], file.hunks[hunk]]
    const blob = file.new_blob
    if (!blob) return
    const start = before ? before.new_start + before.new_lines : 1
    const last = here ? here.new_start - 1 : start + MORE_LINES - 1
    const first = here ? Math.max(start, last - MORE_LINES + 1) : start
    if (last < first) return
    await toasts.try(async () => {
      const asked = `${path('tasks', this.handle, 'blobs', blob, 'lines')}?first=${first}&last=${last}`
      const { lines, total } = await get<LinesView>(asked)
      if (!here && last >= total) this.ended = new Set([...this.ended, file.path])
      if (lines.length === 0) return
      const hunks = widened(file.hunks, hunk, lines, !here)
      this.files = this.files.map((one) => (one.path === file.path ? { ...one, hunks } : one))
    })
  }

  /** Marks files as viewed, or takes that back, here at once and then for good. */
  async mark(files: readonly DiffFileView[], viewed: boolean): Promise<void> {
    const paths = new Set(files.map((file) => file.path))
    this.files = this.files.map((file) => (paths.has(file.path) ? { ...file, viewed } : file))
    this.fold(files, viewed)
    const body = { viewed, files: files.map(({ path, seen }) => ({ path, seen })) }
    const done = await toasts.try(() => post<TaskView>(path('tasks', this.handle, 'viewed'), body))
    if (!done)
      this.files = this.files.map((file) => (paths.has(file.path) ? { ...file, viewed: !viewed } : file))
  }

  fold(files: readonly DiffFileView[], folded: boolean): void {
    const set = new Set(this.folded)
    for (const { path } of files) folded ? set.add(path) : set.delete(path)
    this.folded = set
  }

  measure(key: string, height: number): void {
    if (height <= 0 || this.sizes.measured[key] === height) return
    this.sizes = { ...this.sizes, measured: { ...this.sizes.measured, [key]: height } }
  }

  /** The file at a height, and the row in it. */
  at(y: number): { file: number; row: number } {
    const file = Math.min(findTop(this.tops, y), this.files.length - 1)
    const block = this.blocks[file]
    if (!block) return { file: 0, row: 0 }
    const row = findTop(block.tops, y - (this.tops[file] ?? 0))
    return { file, row: Math.min(row, block.rows.length - 1) }
  }

  topOf(file: number, row: number): number {
    return (this.tops[file] ?? 0) + (this.blocks[file]?.tops[row] ?? 0)
  }

  /** What changed within the lines of a hunk. */
  wordsOf(hunk: HunkView): Map<number, Range[]> {
    let words = this.marked.get(hunk)
    if (!words) this.marked.set(hunk, (words = changedWords(hunk)))
    return words
  }

  /** The colours of a hunk's lines, once they are known. */
  spansOf(file: DiffFileView, hunk: HunkView): Span[][] | null {
    const known = this.spans.get(hunk)
    if (known !== undefined) return known
    this.spans.set(hunk, null)
    const language = languageOf(file.path)
    if (language) {
      this.plain.push({ hunk, language })
      if (!this.painting) void this.paintAll()
    }
    return null
  }

  /** One hunk after the other, the last that was seen first, when there is time: scrolling does not wait for colours. */
  private async paintAll(): Promise<void> {
    this.painting = true
    for (let next = this.plain.pop(); next; next = this.plain.pop()) {
      await idle()
      const spans = await paint(next.hunk, next.language).catch(() => null)
      if (!spans) continue
      this.spans.set(next.hunk, spans)
      this.painted += 1
    }
    this.painting = false
  }
}

function idle(): Promise<void> {
  return new Promise((done) => {
    if ('requestIdleCallback' in window) requestIdleCallback(() => done(), { timeout: 500 })
    else setTimeout(done, 20)
  })
}

const NONE: { comment: CommentView; spot: Spot }[] = []

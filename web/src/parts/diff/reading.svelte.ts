// Where a person is in a change, and how they get on in it: by lines, changes and files.

import type { DiffFileView } from '../../api/protocol'
import { toasts } from '../../toasts.svelte'
import {
  isWaiting,
  lineAt,
  nextChange,
  nextLine,
  nextUnviewed,
  nextUnviewedChange,
  spotBetween,
  type Cursor,
} from './cursor'
import type { Diff } from './diff.svelte'
import { numberOf, type Spot } from './rows'

/** The lines as they are on the screen. */
export interface Shown {
  /** Brings a row onto the screen; a file's head to its upper edge. */
  show(at: Cursor, upper?: boolean): void
  /** The file at the upper edge. */
  reading(): number
}

export class Reading {
  cursor = $state.raw<Cursor | null>(null)
  /** The other end of the lines that are chosen, in the cursor's file. */
  anchor = $state<number | null>(null)

  constructor(
    readonly diff: Diff,
    private readonly shown: () => Shown | undefined,
  ) {}

  /** The file that the person is in. */
  here(): number {
    return this.cursor?.file ?? this.shown()?.reading() ?? 0
  }

  get file(): DiffFileView | undefined {
    return this.diff.files[this.here()]
  }

  /** The lines that are chosen, or the one that is; none at a file's head. */
  get spot(): Spot | null {
    const { cursor } = this
    return cursor && spotBetween(this.diff.blocks[cursor.file], this.anchor ?? cursor.row, cursor.row)
  }

  pick(at: Cursor | null, anchor: number | null = null): void {
    this.cursor = at
    this.anchor = anchor
  }

  to(at: Cursor | null, upper = false): void {
    if (!at) return
    this.pick(at)
    this.shown()?.show(at, upper)
  }

  toFile(file: number | null): void {
    if (file === null || file < 0 || file >= this.diff.files.length) return
    this.to({ file, row: 0 }, true)
  }

  /** Goes to a line of a file, or to the file's head where the line is not shown. */
  async toLine(path: string, line: { side: Spot['side']; number: number } | null): Promise<void> {
    const { diff } = this
    const file = diff.files.findIndex((one) => one.path === path)
    const found = diff.files[file]
    if (!found) return toasts.say(`${path} is not in what is compared here`)
    if (line) {
      diff.fold([found], false)
      await diff.need(file, file)
    }
    const rows = diff.blocks[file]?.rows ?? []
    const row = rows.findIndex(
      (one) => line && one.kind === 'line' && numberOf(one, line.side) === line.number,
    )
    this.to({ file, row: Math.max(0, row) }, row < 0)
  }

  async change(by: 1 | -1): Promise<void> {
    await this.diff.need(this.here(), this.here() + 2)
    this.to(nextChange(this.diff.blocks, this.cursor ?? { file: this.here(), row: 0 }, by))
  }

  /** Goes to the next change in a file that was not viewed; one that was folded is opened for it. */
  async unviewed(): Promise<boolean> {
    const { diff } = this
    let from = this.cursor ?? { file: this.here(), row: 0 }
    for (;;) {
      const found = nextUnviewedChange(diff.blocks, diff.files, from)
      const file = found && diff.files[found.file]
      if (!file) return false
      const folded = diff.folded.has(file.path)
      if (folded) diff.fold([file], false)
      const waited = isWaiting(diff.blocks, found.file)
      if (waited) await diff.need(found.file, found.file)
      // Where its lines have come only now the change is among them; where they cannot be had its head stands for it.
      if (!(folded || waited) || isWaiting(diff.blocks, found.file)) {
        this.to(found)
        return true
      }
      from = { file: found.file, row: -1 }
    }
  }

  line(by: 1 | -1, extend = false): void {
    const at = this.cursor ?? { file: this.here(), row: 0 }
    const next = nextLine(this.diff.blocks, at, by)
    if (!next) return
    if (extend && (next.file !== at.file || !lineAt(this.diff.blocks, next))) return
    const from = extend ? (this.anchor ?? at.row) : null
    this.to(next)
    this.anchor = from
  }

  /** Marks the file as viewed and goes on to the next that was not; or takes the mark back. */
  mark(): void {
    const { file } = this
    if (!file) return
    const viewed = !file.viewed
    void this.diff.mark([file], viewed)
    if (viewed) this.toFile(nextUnviewed(this.diff.files, this.here()) ?? this.here())
  }

  fold(): void {
    const { file } = this
    if (file) this.diff.fold([file], !this.diff.folded.has(file.path))
  }
}

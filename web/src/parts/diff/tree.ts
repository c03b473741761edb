// The files of a diff as a tree: folders with one entry are one with it, and a folder counts what was viewed below it.

import type { DiffFileView } from '../../api/protocol'

export interface TreeRow {
  /** The file's place in the diff; none for a folder. */
  file: number | null
  path: string
  name: string
  depth: number
  viewed: number
  files: number
  open: boolean
}

interface Folder {
  path: string
  name: string
  folders: Map<string, Folder>
  files: number[]
}

export function treeOf(
  files: readonly DiffFileView[],
  closed: ReadonlySet<string>,
  filter: string,
): TreeRow[] {
  const root: Folder = { path: '', name: '', folders: new Map(), files: [] }
  const wanted = filter.toLowerCase()
  for (const [index, file] of files.entries()) {
    if (wanted && !file.path.toLowerCase().includes(wanted)) continue
    let folder = root
    const parts = file.path.split('/')
    for (const name of parts.slice(0, -1)) {
      const path = folder.path ? `${folder.path}/${name}` : name
      let below = folder.folders.get(name)
      if (!below) folder.folders.set(name, (below = { path, name, folders: new Map(), files: [] }))
      folder = below
    }
    folder.files.push(index)
  }
  return rowsBelow(root, files, closed, 0).rows
}

function rowsBelow(
  folder: Folder,
  files: readonly DiffFileView[],
  closed: ReadonlySet<string>,
  depth: number,
): { rows: TreeRow[]; viewed: number; files: number } {
  const rows: TreeRow[] = []
  let [viewed, count] = [0, 0]
  for (const below of folder.folders.values()) {
    let [last, name] = [below, below.name]
    while (last.files.length === 0 && last.folders.size === 1) {
      last = [...last.folders.values()][0]!
      name += `/${last.name}`
    }
    const inside = rowsBelow(last, files, closed, depth + 1)
    const open = !closed.has(last.path)
    rows.push({ file: null, path: last.path, name, depth, viewed: inside.viewed, files: inside.files, open })
    if (open) rows.push(...inside.rows)
    viewed += inside.viewed
    count += inside.files
  }
  for (const index of folder.files) {
    const file = files[index]!
    const seen = file.viewed ? 1 : 0
    const name = file.path.split('/').at(-1) ?? file.path
    rows.push({ file: index, path: file.path, name, depth, viewed: seen, files: 1, open: false })
    viewed += seen
    count += 1
  }
  return { rows, viewed, files: count }
}

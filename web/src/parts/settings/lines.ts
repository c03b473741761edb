// Lines of a text.

/** Where a line, counted from 1, begins and ends in a text. */
export function positionOf(text: string, line: number): [number, number] {
  let from = 0
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf('\n', from)
    if (end < 0) break
    from = end + 1
  }
  const end = text.indexOf('\n', from)
  return [from, end < 0 ? text.length : end]
}

/** A text of settings with a line for a key at its top level, and which line that is; where it was not set, it stands before the
 *  first table, with nothing behind the sign. */
export function withKey(text: string, key: string): { text: string; line: number } {
  const lines = text.split('\n')
  const table = lines.findIndex((line) => /^\s*\[/.test(line))
  const top = table < 0 ? lines.length : table
  const at = lines.findIndex((line, index) => index < top && line.trim().replace(/\s*=.*/, '') === key)
  if (at >= 0) return { text, line: at + 1 }
  let end = top
  while (end > 0 && lines[end - 1]?.trim() === '') end -= 1
  return { text: [...lines.slice(0, end), `${key} = `, ...lines.slice(end)].join('\n'), line: end + 1 }
}

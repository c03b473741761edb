// A QR code as one path of an SVG.

/** The dark modules of a code, given as rows of `0` and `1`: one rectangle for each run in a row. */
export function outline(rows: string[]): string {
  let path = ''
  rows.forEach((row, y) => {
    for (const run of row.matchAll(/1+/g)) path += `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`
  })
  return path
}

// What is used, in words.

import type { ResourcesView } from '../../api/protocol'

/** `950 B`, `1.5 kB`, `2.0 MB`: in steps of a thousand, as disks are sold. */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000
    unit++
  }
  return `${unit === 0 || number >= 99.5 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`
}

/** The points of a curve of values that are none below, for a box of this size; the newest stands at the right. */
export function curve(
  values: readonly number[],
  least: number,
  most: number,
  width = 240,
  height = 48,
): string {
  const top = Math.max(least, ...values)
  return values
    .map((one, index) => {
      const x = width - ((values.length - 1 - index) / Math.max(1, most - 1)) * width
      return `${x.toFixed(1)},${(height - 2 - (one / top) * (height - 4)).toFixed(1)}`
    })
    .join(' ')
}

/** How much of a core was used between two looks, in per cent. A process that ended takes its time with it: never below none. */
export function load(before: ResourcesView, now: ResourcesView): number {
  const ms = Date.parse(now.at) - Date.parse(before.at)
  return ms > 0 ? Math.max(0, ((now.cpu_millis - before.cpu_millis) / ms) * 100) : 0
}

// How the time line of the fleet is laid out, and what is said of it in words.

import type { ActivityKind, MachineView, SpanView, TimelineView } from './api/protocol'
import { duration, moment } from './words'

/** What an attempt did, each with the words of its legend. */
export const activities: Record<ActivityKind, string> = {
  working: 'agent at work',
  checking: 'checks and landing',
  person: 'waits for you',
  limit: 'waits for a limit',
  slot: 'waits for a slot',
}

export interface Bar {
  activity: ActivityKind
  /** Where it begins, in hundredths of the whole. */
  left: number
  width: number
  title: string
}

/** The bars of an attempt between two moments, in milliseconds. What lies outside is cut off. */
export function bars(spans: SpanView[], from: number, to: number): Bar[] {
  const whole = Math.max(1, to - from)
  return spans.flatMap((span) => {
    const begin = Math.max(from, Date.parse(span.from))
    const end = Math.min(to, span.to === null ? to : Date.parse(span.to))
    if (end < begin) return []
    const lasts = (span.to === null ? to : Date.parse(span.to)) - Date.parse(span.from)
    return {
      activity: span.activity,
      left: ((begin - from) / whole) * 100,
      width: ((end - begin) / whole) * 100,
      title: `${span.state}, ${lasted(lasts)}${span.to === null ? ' so far' : ''}`,
    }
  })
}

/** How long something lasted: what took no whole second did take some time. */
export function lasted(ms: number): string {
  return ms > 0 && ms < 1000 ? 'under 1 s' : duration(ms)
}

/** Where the axis is marked, in hundredths; each mark says another time than the one before it. */
export function ticks(from: number, to: number): { at: number; text: string }[] {
  const lasts = to - from
  const text = (at: Date) => {
    if (lasts > 36 * 3_600_000) return at.toLocaleDateString([], { day: 'numeric', month: 'short' })
    if (lasts < 8 * 60_000) return at.toLocaleTimeString([], { timeStyle: 'medium' })
    return moment(at, at)
  }
  const all = [0, 25, 50, 75].map((at) => ({ at, text: text(new Date(from + (lasts * at) / 100)) }))
  return all.filter((tick, index) => tick.text !== all[index - 1]?.text)
}

/** When the first of these spans began, but not before `from`. */
export function beginning(lines: TimelineView[], from: number): number {
  const starts = lines.flatMap((line) => line.spans.map((span) => Date.parse(span.from)))
  return starts.length === 0 ? from : Math.max(from, Math.min(...starts))
}

/** How long each thing took, in words: what a time line shows to those who do not see it. */
export function told(line: TimelineView, from: number, to: number): string {
  const sums = new Map<ActivityKind, number>()
  for (const span of line.spans) {
    const begin = Math.max(from, Date.parse(span.from))
    const end = Math.min(to, span.to === null ? to : Date.parse(span.to))
    if (end > begin) sums.set(span.activity, (sums.get(span.activity) ?? 0) + end - begin)
  }
  const parts = [...sums].map(([activity, ms]) => `${activities[activity]} ${lasted(ms)}`)
  const last = line.spans.at(-1)
  const now = last?.to === null ? `; now ${last.state}` : ''
  return (parts.join(', ') || 'nothing that lasted') + now
}

/** A number of bytes as people read it. */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  while (number >= 999.5 && at < units.length - 1) {
    number /= 1000
    at++
  }
  return `${number < 9.95 && at > 0 ? number.toFixed(1) : Math.round(number)} ${units[at]}`
}

export interface Gauge {
  title: string
  text: string
  /** How much of it is in use, from 0 to 1. */
  used: number
  /** It is worth a look. */
  tight: boolean
}

/** What the machine has and how much of it is in use; what cannot be seen is left out. */
export function gauges(machine: MachineView): Gauge[] {
  const found: Gauge[] = []
  if (machine.load !== null) {
    const used = machine.load / machine.cores
    const text = `load ${machine.load.toFixed(1)} on ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`
    found.push({ title: 'Processor', text, used, tight: used > 1.5 })
  }
  const space = (title: string, total: number | null, free: number | null, tight: number) => {
    if (total === null || free === null || total === 0) return
    const used = 1 - free / total
    found.push({ title, text: `${bytes(free)} of ${bytes(total)} left`, used, tight: free / total < tight })
  }
  space('Memory', machine.memory_total, machine.memory_free, 0.1)
  space('Disk of Divisi’s data', machine.disk_total, machine.disk_free, 0.05)
  return found
}

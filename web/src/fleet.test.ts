import { expect, test } from 'vitest'

import type { SpanView, TimelineView } from './api/protocol'
import { bars, beginning, bytes, gauges, lasted, ticks, told } from './fleet'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString()
const span = (activity: SpanView['activity'], from: number, to: number | null): SpanView => ({
  activity,
  state: activity,
  from: at(from),
  to: to === null ? null : at(to),
})
const [from, to] = [Date.parse(at(0)), Date.parse(at(10))]

test('spans are drawn where they were, and cut at the edges', () => {
  const drawn = bars([span('slot', -5, 1), span('working', 1, 6), span('person', 6, null)], from, to)
  expect(drawn.map((bar) => [bar.activity, bar.left, bar.width])).toEqual([
    ['slot', 0, 10],
    ['working', 10, 50],
    ['person', 60, 40],
  ])
  expect(drawn[2]!.title).toBe('person, 4 min so far')
  expect(bars([span('working', -9, -5)], from, to)).toEqual([])
})

test('the line begins with the first thing that happened', () => {
  const line = { spans: [span('working', 3, 6)] } as TimelineView
  expect(beginning([line], from)).toBe(Date.parse(at(3)))
  expect(beginning([line], Date.parse(at(5)))).toBe(Date.parse(at(5)))
  expect(beginning([], from)).toBe(from)
})

test('the time line is told in words', () => {
  const spans = [span('working', 0, 3), span('checking', 3, 4), span('working', 4, null)]
  expect(told({ spans } as TimelineView, from, to)).toBe(
    'agent at work 9 min, checks and landing 1 min; now working',
  )
})

test('what the machine does not tell is left out', () => {
  expect(bytes(0)).toBe('0 B')
  expect(bytes(1_500_000)).toBe('1.5 MB')
  expect(bytes(61_000_000_000)).toBe('61 GB')
  const machine = { cores: 2, load: 4, memory_total: 100, memory_free: 50, disk_total: null, disk_free: null }
  expect(gauges(machine).map((gauge) => [gauge.title, gauge.tight])).toEqual([
    ['Processor', true],
    ['Memory', false],
  ])
})

test('no mark of the axis says what the one before it says', () => {
  for (const lasts of [4_000, 60_000, 600_000, 3_600_000, 86_400_000, 3 * 86_400_000, 30 * 86_400_000]) {
    const texts = ticks(from, from + lasts).map((tick) => tick.text)
    expect(new Set(texts).size, String(lasts)).toBe(texts.length)
    expect(texts.length).toBeGreaterThan(1)
  }
})

test('what took no whole second took some time', () => {
  expect([lasted(0), lasted(400), lasted(1400)]).toEqual(['0 s', 'under 1 s', '1 s'])
})

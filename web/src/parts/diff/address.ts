// Where in a review somebody is, as an address: what is compared, the file, the line, or a comment.

import type { Spot } from './rows'

export interface Address {
  /** The scope's id; empty: against the base. */
  compare: string
  file: string
  line: { side: Spot['side']; number: number } | null
  /** The number of a comment, which says all the rest. */
  comment: number | null
}

export function addressIn(search: string, hash: string): Address {
  const asked = new URLSearchParams(search)
  const [, side, number] = /^(before|after):(\d{1,9})$/.exec(asked.get('line') ?? '') ?? []
  return {
    compare: asked.get('compare') ?? '',
    file: asked.get('file') ?? '',
    line: number ? { side: side as Spot['side'], number: Number(number) } : null,
    comment: Number(/^#comment-(\d{1,9})$/.exec(hash)?.[1] ?? 0) || null,
  }
}

/** The end of an address, from the question mark on; empty for the whole review as it opens. */
export function searchOf({ compare, file, line }: Omit<Address, 'comment'>): string {
  const asked = new URLSearchParams()
  if (compare) asked.set('compare', compare)
  if (file) asked.set('file', file)
  if (file && line) asked.set('line', `${line.side}:${line.number}`)
  const text = asked.toString()
  return text && `?${text}`
}

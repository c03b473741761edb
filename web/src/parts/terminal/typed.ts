// Keys that a phone does not have, as a terminal hears them.

export type ExtraKey = 'escape' | 'tab' | 'left' | 'up' | 'down' | 'right'

const ARROWS = { left: 'D', up: 'A', down: 'B', right: 'C' }

/** What a key sends; arrows depend on what the program asked for. */
export function sent(key: ExtraKey, applicationArrows: boolean): string {
  if (key === 'escape') return '\x1b'
  if (key === 'tab') return '\t'
  return `\x1b${applicationArrows ? 'O' : '['}${ARROWS[key]}`
}

/** A letter with Ctrl held: `c` is 3. What has no such meaning stays as it is. */
export function withControl(text: string): string {
  const sign = text.toUpperCase()
  return text.length === 1 && sign >= '@' && sign <= '_' ? String.fromCharCode(sign.charCodeAt(0) & 31) : text
}

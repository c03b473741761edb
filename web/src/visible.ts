// Text that nobody vouches for. Characters that are not seen, or that turn the order of others, can make words say what is not
// there; they are shown as what they are.

/** Controls but tab and line break, soft hyphen, zero-width characters, bidi marks and tags. */
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e01ef}]/gu

export interface Piece {
  text: string
  /** It stands for a character that would not be seen. */
  hidden: boolean
}

/** Text cut at characters that are not seen; those are named, as in `U+202E`. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let end = 0
  for (const match of text.matchAll(HIDDEN)) {
    if (isWanted(text, match.index, match[0])) continue
    if (match.index > end) found.push({ text: text.slice(end, match.index), hidden: false })
    found.push({ text: nameOf(match[0]), hidden: true })
    end = match.index + match[0].length
  }
  if (end < text.length) found.push({ text: text.slice(end), hidden: false })
  return found
}

/** The same as plain text, for titles and labels. */
export function visible(text: string): string {
  return pieces(text)
    .map((piece) => (piece.hidden ? `[${piece.text}]` : piece.text))
    .join('')
}

/** Whether text has any such character. */
export function hasHidden(text: string): boolean {
  return pieces(text).some((piece) => piece.hidden)
}

/** A joiner or variation sign inside an emoji is what the writer meant. */
function isWanted(text: string, index: number, sign: string): boolean {
  if (sign !== '\u200d' && sign !== '\ufe0f') return false
  return /\p{Extended_Pictographic}[\u{1f3fb}-\u{1f3ff}]?\ufe0f?$/u.test(
    text.slice(Math.max(0, index - 6), index),
  )
}

function nameOf(sign: string): string {
  return `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

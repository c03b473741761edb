import { expect, test } from 'vitest'

import { hasHidden, pieces, visible } from './visible'

test('what would not be seen, or would turn the order, is named', () => {
  expect(visible('if (admin\u202e \u2066// check\u2069) {')).toBe(
    'if (admin[U+202E] [U+2066]// check[U+2069]) {',
  )
  expect(visible('zero\u200bwidth\ufeff')).toBe('zero[U+200B]width[U+FEFF]')
  expect(visible('a\u0000b\u001b[31m')).toBe('a[U+0000]b[U+001B][31m')
  expect(visible('tag\u{e0041}')).toBe('tag[U+E0041]')
})

test('ordinary text of any language stays as it is', () => {
  for (const text of ['plain\ttext\nline', 'שלום עולם', 'naïve 日本語', '👩‍💻 ❤️ 🏳️‍🌈', '']) {
    expect(visible(text), text).toBe(text)
    expect(hasHidden(text), text).toBe(false)
  }
})

test('a joiner outside an emoji is named', () => {
  expect(visible('pass\u200dword')).toBe('pass[U+200D]word')
})

test('pieces keep their order', () => {
  expect(pieces('\u200ba')).toEqual([
    { text: 'U+200B', hidden: true },
    { text: 'a', hidden: false },
  ])
})

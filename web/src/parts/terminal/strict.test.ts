import { expect, test } from 'vitest'

import { strictStyles } from './strict'

// That `style` attributes become properties is seen in a real browser: happy-dom sets properties by the attribute.
test('while it is open styles go through sheets, and afterwards as before', () => {
  const before = document.createElement
  const [first, second] = [strictStyles(), strictStyles()]
  const style = document.createElement('style')
  document.body.append(style)
  style.textContent = '.a { color: red }'
  expect(document.adoptedStyleSheets.length).toBe(1)
  expect(document.querySelector('style')).toBeNull()
  const span = document.createElement('span')
  span.setAttribute('title', 'a')
  expect(span.title).toBe('a')
  style.remove()
  expect(document.adoptedStyleSheets.length).toBe(0)
  first()
  first()
  expect(document.createElement('style').tagName).toBe('SPAN')
  second()
  expect(document.createElement('style').tagName).toBe('STYLE')
  expect(document.createElement).toBe(before)
  expect(Object.hasOwn(HTMLSpanElement.prototype, 'setAttribute')).toBe(false)
})

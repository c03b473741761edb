import { describe, expect, test } from 'vitest'

import { follow, render } from './markdown'

describe('what an agent writes can neither run nor fake interface', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)></svg>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name=a><button>Approve</button></form>',
    '<style>body{display:none}</style>',
    '<p style="position:fixed;inset:0" class="button primary" id="app">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '![x](https://evil.example/pixel.png)',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '<template><script>alert(1)</script></template>',
  ]
  test.each(hostile)('%s', (markdown) => {
    const html = render(markdown)
    expect(html).not.toMatch(/<(script|img|svg|iframe|form|input|style|template|object|link|meta)\b/i)
    const holder = document.createElement('div')
    holder.innerHTML = html
    for (const element of holder.querySelectorAll('*'))
      expect(
        element.getAttributeNames().filter((name) => !['type', 'value', 'title', 'tabindex'].includes(name)),
      ).toEqual([])
    expect([...holder.querySelectorAll('button')].map((button) => button.value)).toEqual([])
  })
})

test('a link says where it leads and leads nowhere until that was seen', () => {
  const holder = document.createElement('div')
  holder.innerHTML = render('[docs](https://example.com/a)')
  expect(holder.querySelector('a')).toBeNull()
  const button = holder.querySelector('button')!
  expect(button.textContent).toBe('docs (example.com)')
  document.body.append(holder)
  holder.addEventListener('click', follow)
  button.click()
  const link = holder.querySelector('a')!
  expect(link.getAttribute('href')).toBe('https://example.com/a')
  expect(link.rel).toBe('noopener noreferrer')
  expect(link.textContent).toBe('Open https://example.com/a')
  holder.remove()
})

test('a name that hides where it leads is shown with its host', () => {
  const html = render('[https://bank.example](https://evil.example/login)')
  expect(html).toContain('(evil.example)')
})

test('ordinary Markdown stays what it is', () => {
  expect(render('# A\n\n- **b** `c`\n\n```js\nlet x\n```\n\n| a |\n|---|\n| 1 |\n')).toContain(
    '<strong>b</strong>',
  )
})

test('characters that are not seen are named', () => {
  expect(render('safe\u202Etxt')).toContain('[U+202E]')
})

test('a path that is named with @ stays text', () => {
  const text = 'See @src/pager.py, @docs/ and (@a_b_c.py)'
  expect(render(text)).toContain(text)
})

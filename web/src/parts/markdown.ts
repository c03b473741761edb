// Markdown of agents, made harmless. What comes out has no script, no style, no form, no picture and no link that leads
// anywhere by itself; DOMPurify takes out everything that is not on a short list.

import DOMPurify from 'dompurify'
import { Marked } from 'marked'

import { visible } from '../visible'

// HTML in it is shown as the text that it is.
const marked = new Marked({ gfm: true, breaks: false, renderer: { html: ({ text }) => escaped(text) } })

const TAGS = [
  ...[
    'p',
    'br',
    'hr',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'blockquote',
    'pre',
    'code',
    'em',
    'strong',
    'del',
  ],
  ...['ul', 'ol', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'img', 'sup', 'sub'],
]
/** Where a link may lead, once a person has seen where. */
const SCHEMES = ['http:', 'https:', 'mailto:']

/** Harmless HTML of Markdown. */
export function render(markdown: string): string {
  const html = marked.parse(visible(markdown), { async: false })
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'alt', 'start'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  })
  for (const link of fragment.querySelectorAll('a')) link.replaceWith(inert(link))
  // No picture is fetched: that alone would tell somebody that this was read.
  for (const picture of fragment.querySelectorAll('img')) {
    picture.replaceWith(`[picture: ${picture.getAttribute('alt') || 'without words'}]`)
  }
  // What moves sideways is moved by keys too.
  for (const wide of fragment.querySelectorAll('pre, table')) wide.setAttribute('tabindex', '0')
  const holder = document.createElement('div')
  holder.append(fragment)
  return holder.innerHTML
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** A link that says where it leads and does nothing until that was seen (`follow`). */
function inert(link: HTMLAnchorElement): Node {
  const leads = target(link.getAttribute('href') ?? '')
  const words = document.createElement('span')
  words.append(...link.childNodes)
  if (!leads) return words
  const button = document.createElement('button')
  button.type = 'button'
  button.value = leads.href
  button.title = leads.href
  button.append(words, ` (${leads.host || leads.pathname})`)
  return button
}

function target(href: string): URL | null {
  try {
    const url = new URL(href)
    return SCHEMES.includes(url.protocol) ? url : null
  } catch {
    // A path in the project, or an anchor: there is nothing to go to.
    return null
  }
}

/** Turns an inert link that was clicked into a real one, with its whole address to be seen; a second click follows it. */
export function follow(event: MouseEvent): void {
  const button = event.target instanceof Element ? event.target.closest('button') : null
  if (!button?.value) return
  const link = document.createElement('a')
  link.href = button.value
  link.target = '_blank'
  link.rel = 'noopener noreferrer'
  link.textContent = `Open ${button.value}`
  button.replaceWith(link)
  link.focus()
}

/** What stands on a page and would not be seen, or would turn what stands beside it. Runs in the page. */
export function unseen(): string[] {
  // Line breaks and tabs are how text is laid out; everything else here has no shape of its own.
  const hidden =
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/
  const found: string[] = []
  const note = (where: Element | null, what: string, text: string) => {
    if (hidden.test(text))
      found.push(`${what} of ${where?.outerHTML.slice(0, 200) ?? ''}: ${JSON.stringify(text.slice(0, 80))}`)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode())
    note(node.parentElement, 'the text', node.textContent ?? '')
  const attributes = [
    'title',
    'aria-label',
    'alt',
    'placeholder',
    'label',
    'aria-description',
    'aria-valuetext',
  ]
  for (const element of document.querySelectorAll('*'))
    for (const name of attributes) note(element, name, element.getAttribute(name) ?? '')
  note(document.documentElement, 'the title', document.title)
  return found
}

// xterm writes its colours and sizes into `<style>` elements and `style` attributes, which the page's policy forbids, as it
// must: text in the page could do the same. It takes the document by its global name, so while one is open the two calls that
// it makes go another way: through sheets and properties that only scripts can reach. The policy stays as strict as it is.

let users = 0
let undo: (() => void) | null = null

/** Lets scripts style by these two calls until the result is called. */
export function strictStyles(): () => void {
  if (users++ === 0) undo = divert()
  let ended = false
  return () => {
    if (ended) return
    ended = true
    if (--users > 0) return
    undo?.()
    undo = null
  }
}

function divert(): () => void {
  const { createElement } = document
  const spans = HTMLSpanElement.prototype
  const { setAttribute } = spans
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === 'style' ? sheetElement() : createElement.call(document, name, options)) as typeof createElement
  spans.setAttribute = function (this: HTMLSpanElement, name: string, value: string) {
    if (name === 'style') this.style.cssText = value
    else setAttribute.call(this, name, value)
  }

  /** An element in the place of a `<style>`: its text becomes a sheet of its own. */
  function sheetElement(): HTMLElement {
    const element = createElement.call(document, 'span')
    const sheet = new CSSStyleSheet()
    const others = () => document.adoptedStyleSheets.filter((one) => one !== sheet)
    element.hidden = true
    Object.defineProperty(element, 'textContent', {
      set: (text: string) => {
        sheet.replaceSync(text)
        document.adoptedStyleSheets = [...others(), sheet]
      },
    })
    const remove = element.remove.bind(element)
    element.remove = () => {
      document.adoptedStyleSheets = others()
      remove()
    }
    return element
  }

  return () => {
    // Both stand before what they inherit, so without them everything is as it was.
    delete (document as Partial<Document>).createElement
    delete (spans as Partial<HTMLSpanElement>).setAttribute
  }
}

/**
 * The end of a list that grows: who reads it stays there, who goes up is left where they are.
 *
 * A virtual list learns the heights of its entries only as they come into view, so its end moves while nobody scrolls.
 */

/** So near the end one is at the end. */
const AT_END_PX = 40
/** Keys that go up. */
const UP = ['ArrowUp', 'PageUp', 'Home']

export class End {
  /** Whether the end is read: then it stays in view. */
  reads = $state(true)

  #scroller: HTMLElement | undefined
  #offset = 0
  #height = 0

  /** Watches a scroller whose only child is the list. */
  readonly keep = (scroller: HTMLElement): (() => void) => {
    this.#scroller = scroller
    const resized = new ResizeObserver(() => {
      if (this.reads) this.goThere()
    })
    resized.observe(scroller)
    if (scroller.firstElementChild) resized.observe(scroller.firstElementChild)
    const done = new AbortController()
    const passive = { passive: true, signal: done.signal }
    // What somebody does is heard at once: an entry measured in the same frame would take them back to the end.
    scroller.addEventListener('wheel', (event) => event.deltaY < 0 && this.#leave(), passive)
    const typed = (event: KeyboardEvent) =>
      event.target === scroller && UP.includes(event.key) && this.#leave()
    scroller.addEventListener('keydown', typed, passive)
    let touched = 0
    scroller.addEventListener('touchstart', (event) => (touched = event.touches[0]?.clientY ?? 0), passive)
    const moved = (event: TouchEvent) => (event.touches[0]?.clientY ?? 0) > touched && this.#leave()
    scroller.addEventListener('touchmove', moved, passive)
    return () => {
      resized.disconnect()
      done.abort()
      this.#scroller = undefined
    }
  }

  /** Goes to the end and stays there. */
  goThere(): void {
    this.reads = true
    if (this.#scroller) this.#scroller.scrollTop = this.#scroller.scrollHeight
  }

  /** The scroller has moved, for whatever reason. */
  scrolled(): void {
    if (!this.#scroller) return
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller
    const below = scrollHeight - clientHeight - scrollTop
    const isUp = scrollTop < this.#offset
    if (below <= 1 || (below <= AT_END_PX && !isUp)) this.reads = true
    // A list that has another height since was moved by that, not by its reader.
    else if (isUp && scrollHeight === this.#height) this.reads = false
    this.#offset = scrollTop
    this.#height = scrollHeight
  }

  #leave(): void {
    const scroller = this.#scroller
    if (scroller && scroller.scrollTop > 0) this.reads = false
  }
}

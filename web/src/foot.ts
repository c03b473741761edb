/**
 * What stands at the foot of a screen and is acted on there: toasts come up above it instead of lying over its buttons.
 *
 * `{@attach foot}` on the element tells its height to the style of the toasts, as long as the element is there.
 */
export function foot(element: HTMLElement): () => void {
  const style = document.documentElement.style
  const resized = new ResizeObserver(() => style.setProperty('--foot', `${element.offsetHeight}px`))
  resized.observe(element)
  return () => {
    resized.disconnect()
    style.removeProperty('--foot')
  }
}

// The icon of the tab, with the count of what waits for the person.

const BARS = '<path d="M8 9h16M8 16h10M8 23h13" stroke="#fff" stroke-width="3" stroke-linecap="round"/>'

/** The icon as an address; with a badge where something waits. */
export function icon(count: number): string {
  const badge =
    count > 0
      ? `<circle cx="23" cy="23" r="9" fill="#b3261e"/><text x="23" y="27" font-size="12" font-weight="700" font-family="sans-serif" text-anchor="middle" fill="#fff">${count > 9 ? '9+' : count}</text>`
      : ''
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2b59c3"/>${BARS}${badge}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

/** Shows how many tasks wait: in the title and in the icon. */
export function showWaiting(count: number, place: string): void {
  document.title = `${count > 0 ? `(${count}) ` : ''}${place ? `${place} · ` : ''}Divisi`
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (link) link.href = count > 0 ? icon(count) : '/icon.svg'
}

// Where the person is. Links are ordinary ones; a click on one of ours changes the address without a reload.

import { parse, type Route } from './routes'

class Router {
  path = $state(location.pathname)
  private search = $state(location.search)
  /** What stands behind the `?` of the address. */
  readonly query = $derived(new URLSearchParams(this.search))
  readonly route: Route = $derived(parse(this.path))

  /** Goes to an address of the dashboard. */
  go(path: string, { replace = false } = {}): void {
    if (replace) history.replaceState(null, '', path)
    else if (path !== location.pathname + location.search + location.hash) history.pushState(null, '', path)
    this.moved()
  }

  /** Puts words of the address, such as a filter, into it; empty ones go. The way back does not lead through them. */
  put(words: Record<string, string>): void {
    const query = new URLSearchParams(location.search)
    for (const [name, word] of Object.entries(words)) {
      if (word === '') query.delete(name)
      else query.set(name, word)
    }
    const search = query.size > 0 ? `?${query}` : ''
    this.go(location.pathname + search + location.hash, { replace: true })
  }

  back(): void {
    history.back()
  }

  /** Takes over clicks on links and the browser's own back and forward, until the result is called. */
  start(): () => void {
    const moved = () => this.moved()
    const clicked = (event: MouseEvent) => {
      if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
        return
      const link = event.target instanceof Element ? event.target.closest('a') : null
      if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download')) return
      if (link.pathname.startsWith('/v1/')) return
      event.preventDefault()
      this.go(link.pathname + link.search + link.hash)
    }
    addEventListener('popstate', moved)
    document.addEventListener('click', clicked)
    return () => {
      removeEventListener('popstate', moved)
      document.removeEventListener('click', clicked)
    }
  }

  private moved(): void {
    this.path = location.pathname
    this.search = location.search
  }
}

export const router = new Router()

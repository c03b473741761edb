// The addresses of the dashboard. Every one is a deep link: the daemon answers all of them with the same shell.

export type Route =
  | { view: 'board' }
  | { view: 'new' }
  | { view: 'inbox' }
  | { view: 'landing' }
  | { view: 'fleet' }
  | { view: 'settings'; section: string }
  | { view: 'enter' }
  | { view: 'task'; handle: string; tab: string }
  | { view: 'review'; handle: string }
  | { view: 'nowhere' }

const HANDLE = /^t\d+(\.\d+)?$/

/** What an address shows. */
export function parse(pathname: string): Route {
  const [first = '', second = '', third = '', ...rest] = pathname.split('/').slice(1).map(decode)
  if (rest.some((part) => part !== '')) return { view: 'nowhere' }
  switch (first) {
    case '':
      return { view: 'board' }
    case 'new':
    case 'inbox':
    case 'landing':
    case 'fleet':
    case 'enter':
      return second === '' ? { view: first } : { view: 'nowhere' }
    case 'settings':
      return { view: 'settings', section: second }
    case 'tasks':
      return HANDLE.test(second) ? { view: 'task', handle: second, tab: third } : { view: 'nowhere' }
    case 'review':
      return HANDLE.test(second) ? { view: 'review', handle: second } : { view: 'nowhere' }
    default:
      return { view: 'nowhere' }
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return '\u{fffd}'
  }
}

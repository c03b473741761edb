/** Every screen of the dashboard as it looks with a staged fleet. */
import { COLOURS, findings } from './axe'
import type { Fleet } from './fleet'
import type { Visit } from './visit'

export interface Screen {
  name: string
  path: (fleet: Fleet) => string
  /** What has to be seen before the screen is complete. */
  shows: (fleet: Fleet) => string | RegExp
  /** One of the eight places that are pictured in docs/screenshots. */
  pictured?: true
}

export const SCREENS: Screen[] = [
  { name: 'board', path: () => '/', shows: () => 'Remove the import of the old shop', pictured: true },
  { name: 'new', path: () => '/new', shows: () => /./, pictured: true },
  { name: 'inbox', path: () => '/inbox', shows: () => 'Delete shop/old_import.py', pictured: true },
  { name: 'task', path: (fleet) => `/tasks/${fleet.working}`, shows: () => /./, pictured: true },
  { name: 'task-permission', path: (fleet) => `/tasks/${fleet.permission}`, shows: () => /./ },
  { name: 'task-changes', path: (fleet) => `/tasks/${fleet.wide}/changes`, shows: () => 'shop/cart.py' },
  {
    name: 'task-workspace',
    path: (fleet) => `/tasks/${fleet.working}/resources`,
    shows: () => 'Processes',
  },
  { name: 'task-evidence', path: (fleet) => `/tasks/${fleet.review}/evidence`, shows: () => /./ },
  { name: 'task-snapshots', path: (fleet) => `/tasks/${fleet.review}/snapshots`, shows: () => /./ },
  { name: 'task-terminal', path: (fleet) => `/tasks/${fleet.review}/terminal`, shows: () => 'Open a shell' },
  { name: 'review', path: (fleet) => `/review/${fleet.wide}`, shows: () => /./, pictured: true },
  { name: 'landing', path: () => '/landing', shows: () => /./, pictured: true },
  { name: 'fleet', path: () => '/fleet', shows: () => /./, pictured: true },
  { name: 'settings', path: () => '/settings', shows: () => /./, pictured: true },
  { name: 'settings-projects', path: () => '/settings/projects', shows: () => 'checks_parallel' },
  { name: 'settings-files', path: () => '/settings/files', shows: () => 'The daemon can read it.' },
  { name: 'settings-notifications', path: () => '/settings/notifications', shows: () => 'What is told' },
  { name: 'settings-devices', path: () => '/settings/devices', shows: () => 'Pair a device' },
  { name: 'settings-keys', path: () => '/settings/keys', shows: () => 'Next item' },
  { name: 'settings-look', path: () => '/settings/look', shows: () => 'Density' },
  {
    name: 'settings-dashboard',
    path: () => '/settings/files#dashboard',
    shows: () => 'The daemon can read it.',
  },
  { name: 'board-archived', path: () => '/?archived=yes', shows: () => 'Nothing is archived.' },
]

/** Opens a screen and waits until it stands still. */
export async function show(visit: Visit, screen: Screen, fleet: Fleet): Promise<void> {
  await visit.open(screen.path(fleet))
  const main = visit.page.getByRole('main')
  await visit.sees(main.getByRole('heading', { level: 1 }))
  await main.getByText(screen.shows(fleet)).first().waitFor({ state: 'attached' })
  await visit.settles()
}

/** What axe finds on every screen, light and dark, and which screens are wider than they are. */
export async function problems(visit: Visit, fleet: Fleet): Promise<string[]> {
  const all: string[] = []
  for (const screen of SCREENS) {
    await show(visit, screen, fleet)
    const over = await visit.overflows()
    if (over > 0) all.push(`${screen.name}: ${over} pixels wider than the screen`)
    for (const colorScheme of ['light', 'dark'] as const) {
      await visit.page.emulateMedia({ colorScheme })
      const found = await findings(visit.page, colorScheme === 'dark' ? COLOURS : undefined)
      all.push(...found.map((one) => `${screen.name} ${colorScheme}: ${one}`))
    }
  }
  return all
}

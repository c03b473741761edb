// Tells the person what waits for them while they look elsewhere: by a notification of the browser, and by a sound.

import type { TaskSummary } from './api/protocol'
import { chose } from './kept'
import { isWanted, noticesOf, readChoices, type Choices, type Notice } from './notices'
import { router } from './router.svelte'

const STORED = 'divisi.notices'

class Notify {
  private chosen = $state.raw<Choices>(readChoices(read()))
  /** What was there already; none until the first look. */
  private known: Set<string> | null = null

  get choices(): Choices {
    return this.chosen
  }

  set choices(choices: Choices) {
    this.take(choices)
    chose('notifications')
  }

  /** What was chosen elsewhere. */
  take(choices: Choices): void {
    this.chosen = choices
    try {
      localStorage.setItem(STORED, JSON.stringify(choices))
    } catch {
      // Without storage they hold until the page is closed.
    }
  }

  /** Looks at all tasks, and tells what is new since the look before. */
  look(tasks: Iterable<TaskSummary>): void {
    const all = [...tasks].filter((task) => !task.archived).flatMap(noticesOf)
    const known = this.known
    const holds = new Set(all.map((notice) => notice.id))
    this.known = holds
    if (!known || [...known].some((id) => !holds.has(id))) void closeOthers(holds)
    if (!known) return
    const hour = new Date().getHours()
    const wanted = all.filter((one) => !known.has(one.id) && isWanted(this.chosen, one.kind, hour))
    // Who looks at the page sees it there.
    if (wanted.length === 0 || document.hasFocus()) return
    if (this.chosen.sound) beep()
    for (const notice of wanted) void show(notice)
  }
}

/** Phones show notifications only through a service worker. */
async function show(notice: Notice): Promise<void> {
  if (!('Notification' in window) || Notification.permission !== 'granted') return
  const { title, body, id: tag, href } = notice
  const options: NotificationOptions = { body, tag, icon: '/icon-192.png', data: { href } }
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  if (registration) return registration.showNotification(title, options)
  const shown = new Notification(title, options)
  shown.onclick = () => {
    window.focus()
    router.go(href)
    shown.close()
  }
}

/** Takes away what needs nobody any more, also what was shown while the page was closed. */
async function closeOthers(holds: Set<string>): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  const all = (await registration?.getNotifications?.().catch(() => [])) ?? []
  for (const shown of all) if (/^t\d/.test(shown.tag) && !holds.has(shown.tag)) shown.close()
}

/** Two short tones. A browser that has not been touched yet makes no sound. */
export function beep(): void {
  const context = new AudioContext()
  const at = context.currentTime
  for (const [delay, pitch] of [
    [0, 660],
    [0.16, 880],
  ] as const) {
    const tone = context.createOscillator()
    const volume = context.createGain()
    tone.frequency.value = pitch
    volume.gain.setValueAtTime(0.12, at + delay)
    volume.gain.exponentialRampToValueAtTime(0.001, at + delay + 0.14)
    tone.connect(volume).connect(context.destination)
    tone.start(at + delay)
    tone.stop(at + delay + 0.15)
    tone.onended = delay > 0 ? () => void context.close() : null
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(STORED)
  } catch {
    return null
  }
}

export const notify = new Notify()

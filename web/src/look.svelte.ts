// How the dashboard looks: colours, density, and how moments are told. What the person chose; else what the system says.

import { chose } from './kept'

export const themes = ['system', 'light', 'dark'] as const
export const densities = ['calm', 'dense'] as const
export const timeForms = ['relative', 'absolute'] as const
export type Theme = (typeof themes)[number]
export type Density = (typeof densities)[number]
export type TimeForm = (typeof timeForms)[number]

export interface Chosen {
  theme: Theme
  density: Density
  times: TimeForm
}

export const usual: Chosen = { theme: 'system', density: 'calm', times: 'relative' }

const STORED = 'divisi.look'
/** Where the colours alone were kept before. */
const STORED_BEFORE = 'divisi.theme'

class Look {
  /** All that is chosen. */
  chosen = $state.raw<Chosen>(read())

  get theme(): Theme {
    return this.chosen.theme
  }
  get density(): Density {
    return this.chosen.density
  }
  get times(): TimeForm {
    return this.chosen.times
  }

  choose(some: Partial<Chosen>): void {
    this.take({ ...this.chosen, ...some })
    chose('look')
  }

  /** What was chosen elsewhere. */
  take(chosen: Chosen): void {
    this.chosen = chosen
    try {
      localStorage.setItem(STORED, JSON.stringify(this.chosen))
    } catch {
      // Without storage it holds until the page is closed.
    }
    this.apply()
  }

  apply(): void {
    const { dataset } = document.documentElement
    if (this.theme === 'system') delete dataset.theme
    else dataset.theme = this.theme
    if (this.density === 'calm') delete dataset.density
    else dataset.density = this.density
  }

  turnTheme(): void {
    const isDark =
      this.theme === 'dark' || (this.theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
    this.choose({ theme: isDark ? 'light' : 'dark' })
  }

  turnDensity(): void {
    this.choose({ density: this.density === 'calm' ? 'dense' : 'calm' })
  }

  turnTimes(): void {
    this.choose({ times: this.times === 'relative' ? 'absolute' : 'relative' })
  }
}

/** Choices as they were kept, with the usual ones for what is not there. */
export function readLook(text: string | null, before: string | null = null): Chosen {
  let kept: Partial<Record<keyof Chosen, unknown>> = {}
  try {
    const parsed: unknown = JSON.parse(text ?? '{}')
    if (typeof parsed === 'object' && parsed !== null) kept = parsed
  } catch {
    // What cannot be read was not chosen.
  }
  return {
    theme: themes.find((one) => one === (kept.theme ?? before)) ?? usual.theme,
    density: densities.find((one) => one === kept.density) ?? usual.density,
    times: timeForms.find((one) => one === kept.times) ?? usual.times,
  }
}

function read(): Chosen {
  try {
    return readLook(localStorage.getItem(STORED), localStorage.getItem(STORED_BEFORE))
  } catch {
    return usual
  }
}

export const look = new Look()

// A terminal in the page: it draws bytes, and whatever they ask for besides is not done.

import '@xterm/xterm/css/xterm.css'

import { FitAddon } from '@xterm/addon-fit'
import { Terminal, type ITheme } from '@xterm/xterm'

import { strictStyles } from './strict'

/** How far one can scroll back, in lines. */
const LINES = 10_000
/** Sequences that name the window, make links and reach for the clipboard. */
const WINDOW_TITLES = [0, 1, 2]
const LINK = 8
const CLIPBOARD = 52
/** Modes that want the mouse, the focus and pasted text told to the program. */
const WANTS_TO_HEAR = [9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004]

export interface Wishes {
  /** Only looked at: nothing can be typed, and no program is told anything. */
  readOnly: boolean
  /** What is written is read aloud. */
  reader: boolean
}

export interface Screen {
  terminal: Terminal
  /** Takes the colours of the page as they are now. */
  paint: () => void
  end: () => void
}

/** Makes a terminal fill an element. */
export function openScreen(element: HTMLElement, { readOnly, reader }: Wishes): Screen {
  const giveBack = strictStyles()
  const terminal = new Terminal({
    scrollback: LINES,
    fontFamily: getComputedStyle(element).fontFamily,
    fontSize: 13,
    theme: themeOf(element),
    // Programs choose colours for a ground that they do not know.
    minimumContrastRatio: 4.5,
    screenReaderMode: reader,
    disableStdin: readOnly,
    // A journal never went through a terminal, which would have returned the carriage.
    convertEol: readOnly,
    logLevel: 'off',
    linkHandler: { activate: () => undefined },
  })
  for (const code of [...WINDOW_TITLES, LINK, CLIPBOARD]) terminal.parser.registerOscHandler(code, () => true)
  if (readOnly) {
    const wants = (params: (number | number[])[]) =>
      params.some((mode) => WANTS_TO_HEAR.includes(mode as number))
    terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, wants)
  }
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(element)
  fit.fit()
  const observer = new ResizeObserver(() => fit.fit())
  observer.observe(element)
  return {
    terminal,
    paint: () => (terminal.options.theme = themeOf(element)),
    end: () => {
      observer.disconnect()
      terminal.dispose()
      giveBack()
    },
  }
}

function themeOf(element: HTMLElement): ITheme {
  const probe = document.createElement('span')
  element.append(probe)
  const colour = (token: string) => {
    probe.style.color = `var(${token})`
    return getComputedStyle(probe).color
  }
  const theme = {
    background: colour('--sunken'),
    foreground: colour('--ink'),
    cursor: colour('--accent'),
    cursorAccent: colour('--accent-ink'),
    selectionBackground: colour('--accent'),
    selectionForeground: colour('--accent-ink'),
  }
  probe.remove()
  return theme
}

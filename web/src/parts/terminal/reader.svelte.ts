// Whether terminals are read aloud: chosen once, kept in this browser.

const STORED = 'divisi.terminal.reader'

class ReaderChoice {
  private chosen = $state(read())

  get on(): boolean {
    return this.chosen
  }

  set on(on: boolean) {
    this.chosen = on
    try {
      if (on) localStorage.setItem(STORED, 'yes')
      else localStorage.removeItem(STORED)
    } catch {
      // Without storage it holds until the page is closed.
    }
  }
}

function read(): boolean {
  try {
    return localStorage.getItem(STORED) === 'yes'
  } catch {
    return false
  }
}

export const reader = new ReaderChoice()

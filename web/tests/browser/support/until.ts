/** Waiting for conditions, never for time. */

/** Far beyond what anything takes on the slowest machine: only what never comes meets it. */
export const WAIT_MAX_MS = 30_000

const PAUSE_MS = 25

/** Asks again and again until there is an answer; `what` is named when there is none. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  waitMaxMs = WAIT_MAX_MS,
): Promise<T> {
  const started = Date.now()
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() - started > waitMaxMs) {
      const seen = last instanceof Error ? `: ${last.message}` : ''
      throw new Error(`waited ${waitMaxMs / 1000} s for this: ${what}${seen}`)
    }
    await new Promise((next) => setTimeout(next, PAUSE_MS))
  }
}

/** Watching what goes on without whoever watches it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Printer } from './print.js'

export interface Watching {
  printer: Printer
  /** How things stand: drawn anew at a terminal (`live`), elsewhere a line now and then (`plain`); undefined while nothing is known. */
  look: () => Promise<{ live: string; plain: string } | undefined>
  plainEveryMs: number
}

const liveEveryMs = 400

/** What draws over its own lines, at a terminal; undefined elsewhere, where it is not even loaded. */
export const drawing = async ({ isJson }: Printer) =>
  process.stderr.isTTY && !isJson ? (await import('log-update')).logUpdateStderr : undefined

/** Shows how far something is until its end has come, whatever that is; ends as it does. */
export async function watched<T>(end: Promise<T>, { printer, look, plainEveryMs }: Watching): Promise<T> {
  const live = await drawing(printer)
  const over = signalOf(end)
  for (;;) {
    await pause(live ? liveEveryMs : plainEveryMs, over)
    if (over.aborted) break
    try {
      const seen = await look()
      if (seen === undefined) continue
      if (live) live(seen.live)
      else printer.note(seen.plain)
    } catch (error) {
      // Only a look: the next one may be answered.
      printer.note((error as Error).message)
    }
  }
  live?.clear()
  return end
}

/** Looks until there is something to find; undefined where the end has come, and a look after it finds nothing. */
export async function found<T>(end: Promise<unknown>, look: () => Promise<T | undefined>, everyMs = 500): Promise<T | undefined> {
  const over = signalOf(end)
  for (;;) {
    const isOver = over.aborted
    const seen = await look()
    if (seen !== undefined || isOver) return seen
    await pause(everyMs, over)
  }
}

/** Aborted when the end has come, well or not. */
function signalOf(end: Promise<unknown>): AbortSignal {
  const controller = new AbortController()
  const abort = () => controller.abort()
  end.then(abort, abort)
  return controller.signal
}

/** So long, or until it is over; it keeps no process from ending. */
const pause = (ms: number, over: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { ref: false, signal: over }).catch((error: unknown) => {
    if (!over.aborted) throw error
  })

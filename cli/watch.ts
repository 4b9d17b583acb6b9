/** Watching what goes on without whoever watches it. */
import { setTimeout as sleep } from 'node:timers/promises'
import logUpdate from 'log-update'
import type { Printer } from './print.js'

export interface Watching {
  printer: Printer
  /** How things stand: drawn anew at a terminal (`live`), elsewhere a line now and then (`plain`); undefined while nothing is known. */
  look: () => Promise<{ live: string; plain: string } | undefined>
  plainEveryMs: number
}

const liveEveryMs = 400

export const isLive = ({ isJson }: Printer): boolean => process.stderr.isTTY && !isJson

/** Shows how far something is until its end has come, whatever that is; ends as it does. */
export async function watched<T>(end: Promise<T>, { printer, look, plainEveryMs }: Watching): Promise<T> {
  const live = isLive(printer)
  const over = signalOf(end)
  for (;;) {
    await pause(live ? liveEveryMs : plainEveryMs, over)
    if (over.aborted) break
    try {
      const seen = await look()
      if (seen === undefined) continue
      if (live) logUpdate(seen.live)
      else printer.note(seen.plain)
    } catch (error) {
      // Only a look: the next one may be answered.
      printer.note((error as Error).message)
    }
  }
  if (live) logUpdate.clear()
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

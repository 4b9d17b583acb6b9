import { Failure, type Reason } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import { nothingUsed } from '../core/receipt.js'
import type { Http } from '../core/types.js'
import { type Meter, noMeter } from '../observe/metrics.js'
import { noTrace, pathShape, type Trace } from '../observe/trace.js'

/** What a client uses of a vendor: summed up for receipts, and measured for whoever watches. */
export interface Usage {
  used: Http['used']
  /** Runs one request on the wire. */
  sent: <T extends { status: number }>(what: { method: string; url: URL }, work: () => Promise<T>) => Promise<T>
  received: (bytes: number) => void
  /** An answer came to a request that counts against this budget of the vendor. */
  answered: (budget: string) => void
  /** How an answered request ended. */
  ended: (outcome: Outcome) => void
  retried: () => void
  waited: (ms: number) => void
}

/** `redirect`: the vendor named another place, and the request follows. */
export type Outcome = 'ok' | 'redirect' | Reason

/** Where the measurements go, and whose they are. */
export interface Measuring {
  meter: Meter
  trace: Trace
  labels: { sync: string; vendor: string }
}

/** Shorter waits are the pace of a budget, and no event of a run. */
const countedFromMs = 1_000

export function createUsage(
  clock: Clock,
  { meter, trace, labels }: Measuring = { meter: noMeter, trace: noTrace, labels: { sync: '', vendor: '' } },
): Usage {
  const spent: Record<string, number> = {}
  const used = { ...nothingUsed(), spent }
  meter.add('weir_request_retries_total', 0, labels)
  const ended = (reason: Outcome) => meter.add('weir_requests_total', 1, { ...labels, reason })
  return {
    used,
    ended,
    async sent({ method, url }, work) {
      used.requests++
      const sentMs = clock.now().getTime()
      const since = performance.now()
      try {
        const shape = { ...labels, 'http.request.method': method, 'url.path': pathShape(url.pathname) }
        return await trace(`${method} ${labels.vendor}`, shape, async (note) => {
          const sent = await work()
          note({ 'http.response.status_code': sent.status })
          return sent
        })
      } catch (error) {
        // No answer came; what one says is judged by whoever reads it. What was cancelled has not failed.
        if (error instanceof Failure) ended(error.reason)
        throw error
      } finally {
        // Whatever came of it.
        used.vendorMs += clock.now().getTime() - sentMs
        meter.record('weir_request_seconds', (performance.now() - since) / 1_000, labels)
      }
    },
    received(bytes) {
      used.bytes += bytes
      meter.add('weir_received_bytes_total', bytes, labels)
    },
    answered(budget) {
      spent[budget] = (spent[budget] ?? 0) + 1
    },
    retried() {
      used.retries++
      meter.add('weir_request_retries_total', 1, labels)
    },
    waited(ms) {
      used.waitedMs += ms
      if (ms >= countedFromMs) used.waits++
      meter.record('weir_wait_seconds', ms / 1_000, labels)
    },
  }
}

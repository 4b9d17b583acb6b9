import { Failure } from '../core/failure.js'
import type { Clock } from '../core/ports.js'

/** After so many answers in a row that say "down", nobody calls for a while; then one call tries. */
const after = 8
const firstRestMs = 15_000
const longestRestMs = 10 * 60_000
/** How long the others wait for the one that tries. */
const probeMs = 5_000

/** Stops calling an API that is down: retries of many streams would only keep it down. */
export interface Breaker {
  /** @throws Failure `throttled` with the instant of the next try, while the account rests. */
  check: () => void
  good: () => void
  bad: () => void
}

export function createBreaker(clock: Clock, vendor: string): Breaker {
  let failures = 0
  let restMs = firstRestMs
  let restUntil = 0
  let probeUntil = 0
  return {
    check() {
      if (failures < after) return
      const now = clock.now().getTime()
      const nextAt = Math.max(restUntil, probeUntil)
      if (now >= nextAt) {
        // This call is the one that tries.
        probeUntil = now + probeMs
        return
      }
      const waitUntil = new Date(nextAt).toISOString()
      throw new Failure('throttled', `${vendor} failed ${failures} times in a row; the next try is at ${waitUntil}.`, { waitUntil })
    },
    good() {
      failures = 0
      restMs = firstRestMs
      restUntil = 0
      probeUntil = 0
    },
    bad() {
      if (++failures < after) return
      const now = clock.now().getTime()
      // Calls that were under way when the rest began say nothing new: twenty of them must not make minutes of seconds.
      if (now < restUntil) return
      restUntil = now + restMs
      restMs = Math.min(restMs * 2, longestRestMs)
    },
  }
}

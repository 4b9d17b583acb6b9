import { Failure } from '../core/failure.js'
import type { BudgetKey, BudgetStore, Clock } from '../core/ports.js'

/** After so many answers in a row that say "down", nobody calls for a while; then one call tries. */
const after = 8
const firstRestMs = 15_000
const longestRestMs = 10 * 60_000
/** How long the others wait for the one that tries. */
const probeMs = 5_000
/** How old may be the news that all is well: a look costs two round trips. */
const lookMs = 2_000

/** Stops calling an API that is down, in every process that shares the store: retries of many streams would only keep it down. */
export interface Breaker {
  /** @throws Failure `throttled` with the instant of the next try, while the account rests */
  check: () => Promise<void>
  good: () => Promise<void>
  bad: () => Promise<void>
}

/** What is kept of an account. Instants in milliseconds, by the store's clock. */
export interface BreakerState {
  /** Answers in a row that said "down", whoever got them. */
  failures: number
  failedAtMs: number
  restMs: number
  restUntilMs: number
  probeUntilMs: number
}

const closed: BreakerState = { failures: 0, failedAtMs: 0, restMs: firstRestMs, restUntilMs: 0, probeUntilMs: 0 }
type Turn = { state: BreakerState; answer: number }

/** May somebody call? The answer is how long not; who gets 0 while it rests is the one that tries. */
function look(state: BreakerState, nowMs: number): Turn {
  if (state.failures < after) return { state, answer: 0 }
  const nextAtMs = Math.max(state.restUntilMs, state.probeUntilMs)
  return nowMs < nextAtMs ? { state, answer: nextAtMs - nowMs } : { state: { ...state, probeUntilMs: nowMs + probeMs }, answer: 0 }
}

function failed(state: BreakerState, times: number, nowMs: number): Turn {
  // Failures of last week are in a row with nothing.
  const before = nowMs - state.failedAtMs > 2 * longestRestMs ? closed : state
  const next = { ...before, failures: before.failures + times, failedAtMs: nowMs }
  // Calls that were under way when the rest began say nothing new: twenty of them must not make minutes of seconds.
  if (next.failures < after || nowMs < next.restUntilMs) return { state: next, answer: 0 }
  return { state: { ...next, restUntilMs: nowMs + next.restMs, restMs: Math.min(next.restMs * 2, longestRestMs) }, answer: 0 }
}

/** @param store where the account's state stands, for all who share it */
export function createBreaker(clock: Clock, store: BudgetStore, { vendor, account }: Omit<BudgetKey, 'budget'>): Breaker {
  /** As last seen, of all processes together. */
  let failures = 0
  let lookedAtMs = Number.NEGATIVE_INFINITY
  /** Bad answers that could not be told. */
  let owed = 0

  const move = async (change: (state: BreakerState, nowMs: number) => Turn): Promise<number> => {
    const { seen, answer } = await store.update<BreakerState, { seen: number; answer: number }>(
      { vendor, account, budget: 'breaker' },
      (before = closed, nowMs) => {
        const { state, answer } = change(before, nowMs)
        return { state, answer: { seen: state.failures, answer } }
      },
    )
    failures = seen
    lookedAtMs = clock.now().getTime()
    return answer
  }

  return {
    async check() {
      if (failures === 0 && clock.now().getTime() - lookedAtMs < lookMs) return
      const waitMs = await move(look)
      if (waitMs === 0) return
      const waitUntil = new Date(clock.now().getTime() + waitMs).toISOString()
      const message = `${vendor} failed ${failures} times in a row; the next try is at ${waitUntil}.`
      throw new Failure('throttled', message, { waitUntil, waitsFor: 'vendor' })
    },
    async good() {
      if (failures === 0) return
      // An answer that came must not be lost for this: the next good one tells it again.
      await move(() => ({ state: closed, answer: 0 })).catch(() => undefined)
    },
    async bad() {
      const told = owed + 1
      owed = 0
      // The failure itself is on its way to whoever asked; the next one is told with it.
      await move((state, nowMs) => failed(state, told, nowMs)).catch(() => {
        owed += told
      })
    },
  }
}

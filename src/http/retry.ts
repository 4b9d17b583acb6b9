import pRetry from 'p-retry'
import { Failure } from '../core/failure.js'

export interface RetryOptions {
  /** Tries after the first. */
  retries: number
  /** First wait between tries; doubles, with jitter, up to twenty seconds. */
  retryMs: number
  signal?: AbortSignal | undefined
  /** Told of every failure that may pass, and whether another try follows. */
  onFailure: (failure: Failure, isRepeated: boolean) => Promise<void>
}

const longestMs = 20_000

/** Repeats what failed in passing, for seconds; what takes longer is Temporal's. Throttled calls wait in the budget, not here. */
export function retry<T>(attempt: () => Promise<T>, { retries, retryMs, signal, onFailure }: RetryOptions): Promise<T> {
  return pRetry(attempt, {
    retries,
    minTimeout: retryMs,
    maxTimeout: longestMs,
    randomize: true,
    ...(signal ? { signal } : {}),
    shouldRetry: ({ error }) => error instanceof Failure && error.reason === 'transient' && !error.isFinal,
    onFailedAttempt: async ({ error, retriesLeft }) => {
      if (!signal?.aborted && error instanceof Failure && error.reason === 'transient')
        await onFailure(error, retriesLeft > 0 && !error.isFinal)
    },
  })
}

/** How long to wait when the vendor refuses for the rate and does not say: doubling from `firstMs` to half a minute, with jitter. */
export function backOffMs(refusals: number, firstMs: number, random: () => number): number {
  return Math.min(firstMs * 2 ** (refusals - 1), 30_000) * (0.75 + random() / 2)
}

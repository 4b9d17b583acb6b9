import { createHash } from 'node:crypto'
import Bottleneck from 'bottleneck'
import { Failure } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import type { Budget, Window } from './api.js'
import { type Breaker, createBreaker } from './breaker.js'

/** Longer waits belong to Temporal: they are thrown with the instant, and the workflow sleeps. */
export const longestWaitMs = 60_000

/** What one vendor account may spend on one class of calls, shared by every stream of this process. */
export interface Spender {
  /** Runs `send` when a permit is there. Waits are told to `waited`; one that is too long is thrown as `throttled`. */
  spend: <T>(send: () => Promise<T>, waited: (ms: number) => void, signal?: AbortSignal) => Promise<T>
  /** Nobody spends before `ms` from now: the vendor said so. */
  pause: (ms: number) => void
}

/** One vendor account as this process knows it: whoever calls it shares its budgets and its breaker. */
export interface Account {
  spender: (name: string, budget: Budget) => Spender
  breaker: Breaker
}
export type Accounts = (api: string, account: string) => Account

/** The accounts of a process. Two connections to one account share one entry; names are hashed, since they may be keys. */
export function createAccounts(clock: Clock): Accounts {
  const accounts = new Map<string, Account>()
  return (api, account) => {
    const key = createHash('sha256').update(`${api}\n${account}`).digest('hex')
    const spenders = new Map<string, Spender>()
    const known = accounts.get(key) ?? {
      breaker: createBreaker(clock, api),
      spender(name: string, budget: Budget): Spender {
        const spender = spenders.get(name) ?? createSpender(clock, budget)
        spenders.set(name, spender)
        return spender
      },
    }
    accounts.set(key, known)
    return known
  }
}

/** Spends without limit: for `budget: off`, on this machine only. */
export const unlimited: Spender = { spend: (send) => send(), pause: () => {} }

function createSpender(clock: Clock, { windows, concurrency }: Budget): Spender {
  const queue = new Bottleneck({ maxConcurrent: concurrency })
  const logs = windows.map((window) => new SlidingWindow(window))
  let pausedUntil = 0

  /** Milliseconds until a permit is there; 0 takes it. */
  const take = (now: number): number => {
    const wait = Math.max(pausedUntil - now, ...logs.map((log) => log.waitMs(now)))
    if (wait <= 0) for (const log of logs) log.add(now)
    return Math.max(0, wait)
  }

  return {
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now().getTime() + ms)
    },
    async spend(send, waited, signal) {
      const startedAt = clock.now().getTime()
      return queue.schedule(async () => {
        for (;;) {
          signal?.throwIfAborted()
          const now = clock.now().getTime()
          const wait = take(now)
          if (wait === 0) break
          if (wait > longestWaitMs) {
            const waitUntil = new Date(now + wait).toISOString()
            throw new Failure('throttled', `The account's budget is spent until ${waitUntil}.`, { waitUntil })
          }
          await clock.sleep(wait, signal)
        }
        const since = clock.now().getTime() - startedAt
        if (since > 5) waited(since)
        return send()
      })
    },
  }
}

/**
 * The instants of the last permits. A vendor that counts in fixed windows sees at most `count` in any of them when no sliding
 * window holds more; a little more than the window is kept free, since requests take different times to arrive.
 */
class SlidingWindow {
  private readonly taken: number[] = []
  private head = 0
  private readonly spanMs: number

  constructor(private readonly window: Window) {
    this.spanMs = window.perMs + Math.min(250, window.perMs * 0.05)
  }

  waitMs(now: number): number {
    while (this.head < this.taken.length && this.taken[this.head]! <= now - this.spanMs) this.head++
    if (this.head > 1_000) {
      this.taken.splice(0, this.head)
      this.head = 0
    }
    const used = this.taken.length - this.head
    return used < this.window.count ? 0 : this.taken[this.taken.length - this.window.count]! + this.spanMs - now
  }

  add(now: number): void {
    this.taken.push(now)
  }
}

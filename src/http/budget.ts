import { createHash } from 'node:crypto'
import { Failure } from '../core/failure.js'
import type { Clock } from '../core/ports.js'
import type { Budget, Window } from './api.js'
import { type Breaker, createBreaker } from './breaker.js'
import { createQueue } from './queue.js'

/** Longer waits belong to Temporal: they are thrown with the instant, and the workflow sleeps. */
export const longestWaitMs = 60_000

/** Whose turn it is when permits are scarce: a live sync goes before a backfill. */
export type Priority = 'live' | 'backfill'
/** The smaller number first. */
const places: Record<Priority, number> = { live: 0, backfill: 1 }

export interface SpendOptions {
  priority: Priority
  /** Told how long a request waited for its permit. */
  waited: (ms: number) => void
  signal?: AbortSignal | undefined
}

/** What one vendor account may spend on one class of calls, shared by every stream of this process. */
export interface Spender {
  /**
   * Runs `send` when a permit is there.
   * @throws Failure `throttled` with the instant, when that is too far away.
   */
  spend: <T>(send: () => Promise<T>, options: SpendOptions) => Promise<T>
  /** Nobody spends before `ms` from now: the vendor said so. */
  pause: (ms: number) => void
  /** The vendor told how much this window really holds. */
  learn: (window: Window) => void
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

/** For `budget: off`, on this machine only: no windows, but a vendor's own word still counts. */
export const unlimited: Budget = { windows: [], concurrency: Number.POSITIVE_INFINITY }

function createSpender(clock: Clock, { windows, concurrency }: Budget): Spender {
  // With fewer under way than a window holds, a permit is always a matter of time.
  const most = Math.min(concurrency, ...windows.map(({ count }) => count))
  const queue = createQueue(most)
  const logs = windows.map((window) => new WindowLog(window))
  let pausedUntil = 0

  /** Waits for a permit and takes it. */
  const permit = async (signal: AbortSignal | undefined): Promise<void> => {
    for (;;) {
      signal?.throwIfAborted()
      const now = clock.now().getTime()
      const wait = Math.max(pausedUntil - now, ...logs.map((log) => log.waitMs(now)), 0)
      if (wait === 0) {
        for (const log of logs) log.begin()
        return
      }
      if (wait > longestWaitMs) {
        const waitUntil = new Date(now + wait).toISOString()
        throw new Failure('throttled', `The account's budget is spent until ${waitUntil}.`, { waitUntil })
      }
      await clock.sleep(wait, signal)
    }
  }

  return {
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now().getTime() + ms)
    },
    learn({ count, perMs }) {
      for (const log of logs) if (log.perMs === perMs) log.count = Math.max(count, most)
    },
    async spend(send, { priority, waited, signal }) {
      const askedAt = clock.now().getTime()
      const leave = await queue.enter(places[priority], signal)
      try {
        await permit(signal)
        const since = clock.now().getTime() - askedAt
        if (since > 5) waited(since)
        try {
          return await send()
        } finally {
          const now = clock.now().getTime()
          for (const log of logs) log.end(now)
        }
      } finally {
        leave()
      }
    },
  }
}

/**
 * The requests that a window may still count. A vendor counts a request somewhen between its sending and its answer, in windows
 * that begin when it likes. So every request counts from its sending until a whole window after its answer: whatever the
 * vendor's window, the last request that falls into it saw all the others in this log.
 */
class WindowLog {
  private readonly ended: number[] = []
  private head = 0
  private underWay = 0
  private readonly spanMs: number
  readonly perMs: number
  count: number

  constructor({ count, perMs }: Window) {
    this.count = count
    this.perMs = perMs
    // Clocks are read in whole milliseconds, and the vendor's may run a little slower.
    this.spanMs = perMs + Math.max(5, Math.min(250, perMs / 100))
  }

  waitMs(now: number): number {
    while (this.head < this.ended.length && this.ended[this.head]! <= now - this.spanMs) this.head++
    if (this.head > 1_000) {
      this.ended.splice(0, this.head)
      this.head = 0
    }
    const tooMany = this.underWay + this.ended.length - this.head - this.count
    return tooMany < 0 ? 0 : this.ended[this.head + tooMany]! + this.spanMs - now
  }

  begin(): void {
    this.underWay++
  }

  end(now: number): void {
    this.underWay--
    this.ended.push(now)
  }
}

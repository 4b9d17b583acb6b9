import { createHash, randomUUID } from 'node:crypto'
import type { ConnectionDefinition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { BudgetKey, BudgetStore, Clock } from '../core/ports.js'
import type { Api, Budget, Window } from './api.js'
import { type Breaker, createBreaker } from './breaker.js'
import {
  type BudgetState,
  type Grant,
  holderGoneMs,
  memoryStore,
  none,
  type Priority,
  priorities,
  type Rules,
  takeTurn,
  usedShare,
} from './permits.js'
import { createQueue } from './queue.js'

export type { Priority } from './permits.js'

/** Longer waits belong to Temporal: they are thrown with the instant, and the workflow sleeps. */
export const longestWaitMs = 60_000
/** Shorter waits are nothing that a person need know. */
const toldMs = 5_000
/** What a backfill gets of a budget beside live work that waits, where nobody says otherwise. */
export const defaultBackfillShare = 0.3

/** The smaller number first. */
const places: Record<Priority, number> = { live: 0, backfill: 1 }

export interface SpendOptions {
  priority: Priority
  /** Told how long a request waited for its permit. */
  waited: (ms: number) => void
  /** Told that it will wait for so long, where that is worth telling: before it waits, and again when it becomes more. */
  waits?: (ms: number) => void
  signal?: AbortSignal | undefined
}

/** What one vendor account may spend on one class of calls, shared by every stream, and by every process whose store is the same. */
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
  /** Share of the budget that counts as used now, 0 to 1, as far as this process was told. */
  used: () => number
}

/** What may be spent, and what of it a backfill is sure of beside live work. */
export type SharedBudget = Budget & { backfillShare?: number | undefined }

/** One vendor account as this process knows it: whoever calls it shares its budgets and its breaker. */
export interface Account {
  spender: (name: string, budget: SharedBudget) => Spender
  breaker: Breaker
}
export type Accounts = (api: string, account: string) => Account

/**
 * The accounts of a process. Two connections to one account share one entry; names are hashed, since they may be keys.
 * @param store where budgets are kept; without it they are this process's own
 * @param made told of each budget once, when its first request comes
 */
export function createAccounts(
  clock: Clock,
  store: BudgetStore = memoryStore(clock),
  made: (key: BudgetKey, spender: Spender) => void = () => {},
): Accounts {
  const accounts = new Map<string, Account>()
  const holder = randomUUID()
  return (api, account) => {
    const hash = createHash('sha256').update(`${api}\n${account}`).digest('hex')
    const spenders = new Map<string, Spender>()
    const known = accounts.get(hash) ?? {
      breaker: createBreaker(clock, store, { vendor: api, account: hash }),
      spender(name: string, budget: SharedBudget): Spender {
        const { windows, concurrency, backfillShare = defaultBackfillShare } = budget
        const rules = { windows, concurrency, backfillShare }
        const key = { vendor: api, account: hash, budget: name }
        const known = spenders.get(name)
        if (known) return known
        const spender = budget === unlimited ? freeSpender(clock) : createSpender({ clock, store, key, rules, holder })
        spenders.set(name, spender)
        made(key, spender)
        return spender
      },
    }
    accounts.set(hash, known)
    return known
  }
}

/** For `budget: off`, on this machine only: no windows, but a vendor's own word still counts. */
export const unlimited: Budget = { windows: [], concurrency: Number.POSITIVE_INFINITY }

function freeSpender(clock: Clock): Spender {
  let pausedUntilMs = 0
  return {
    pause(ms) {
      pausedUntilMs = Math.max(pausedUntilMs, clock.now().getTime() + ms)
    },
    learn() {},
    used: () => 0,
    async spend(send, { waited, waits, signal }) {
      signal?.throwIfAborted()
      const waitMs = pausedUntilMs - clock.now().getTime()
      if (waitMs > longestWaitMs) throw spentUntil(clock, waitMs)
      if (waitMs >= toldMs) waits?.(waitMs)
      if (waitMs > 0) {
        await clock.sleep(waitMs, signal)
        waited(waitMs)
      }
      return send()
    },
  }
}

/**
 * What a request of a backfill takes at its share, in milliseconds, in the long run: by the narrowest window of the api's first budget, or of what the
 * user set in its place. Undefined without a budget.
 */
export function shareMs({ budgets }: Pick<Api, 'budgets'>, set: ConnectionDefinition['budget']): number | undefined {
  if (set === 'off') return undefined
  const day = set?.perDay === undefined ? [] : [{ count: set.perDay, perMs: 86_400_000 }]
  const windows = [...(set?.requests ? [set.requests] : Object.values(budgets)[0]!.windows), ...day]
  if (windows.length === 0) return undefined
  return Math.max(...windows.map(({ count, perMs }) => perMs / count)) / (set?.backfillShare ?? defaultBackfillShare)
}

interface Waiter {
  go: () => void
  waits: ((ms: number) => void) | undefined
  fail: (reason: unknown) => void
}

interface SpenderParts {
  clock: Clock
  store: BudgetStore
  key: BudgetKey
  rules: Rules
  /** This process, among all that share the budget. */
  holder: string
}

/** Requests line up here by priority; one conversation with the store takes permits for all that wait and tells of all that were answered. */
function createSpender({ clock, store, key, rules, holder }: SpenderParts): Spender {
  const queue = createQueue(rules.concurrency)
  const waiting: Record<Priority, Waiter[]> = { live: [], backfill: [] }
  let news = { answered: none(), returned: none(), pauseMs: undefined as number | undefined, learned: [] as Window[] }
  const learned = new Map<number, number>()
  let underWay = 0
  let lastState: BudgetState | undefined
  let pausedUntilMs = 0
  let isTalking = false
  let isAskedAgain = false
  let nap: AbortController | undefined
  let beat: NodeJS.Timeout | undefined

  const wanted = () => ({ live: waiting.live.length, backfill: waiting.backfill.length })
  const isWanted = () => priorities.some((priority) => waiting[priority].length > 0)

  /** Something changed: tells it, and takes what is there. A conversation under way takes it up. */
  const talk = (): void => {
    isAskedAgain = true
    nap?.abort()
    if (isTalking) return
    isTalking = true
    void converse()
  }

  const converse = async (): Promise<void> => {
    // Ended in the same step as the last look, so that whoever comes then starts the next one.
    try {
      while (isAskedAgain || isWanted()) await exchange()
    } finally {
      isTalking = false
    }
  }

  /** One turn at the store, and the wait after it where it did not give all that was wanted. */
  const exchange = async (): Promise<void> => {
    isAskedAgain = false
    const told = news
    news = { answered: none(), returned: none(), pauseMs: undefined, learned: [] }
    const ask = { holder, wanted: wanted(), ...told }
    let grant: Grant
    try {
      grant = await store.update<BudgetState, Grant>(key, (state, nowMs) => {
        const turn = takeTurn(state, rules, ask, nowMs)
        lastState = turn.state
        return turn
      })
    } catch (error) {
      keep(told)
      failAll(error)
      return
    }
    for (const priority of priorities) hand(priority, grant.granted[priority])
    if (!isWanted() || isAskedAgain) return
    if (grant.waitMs >= toldMs && grant.waitMs <= longestWaitMs)
      for (const priority of priorities) for (const waiter of waiting[priority]) waiter.waits?.(grant.waitMs)
    if (grant.waitMs <= longestWaitMs) return rest(grant.waitMs)
    failAll(spentUntil(clock, grant.waitMs))
    isAskedAgain = true
  }

  const failAll = (reason: unknown): void => {
    for (const priority of priorities) for (const waiter of waiting[priority].splice(0)) waiter.fail(reason)
  }

  /** What could not be told is told the next time. */
  const keep = (told: typeof news): void => {
    for (const priority of priorities) {
      news.answered[priority] += told.answered[priority]
      news.returned[priority] += told.returned[priority]
    }
    news.learned.unshift(...told.learned)
    if (told.pauseMs !== undefined) news.pauseMs = Math.max(told.pauseMs, news.pauseMs ?? 0)
  }

  const hand = (priority: Priority, granted: number): void => {
    for (let i = 0; i < granted; i++) {
      const waiter = waiting[priority].shift()
      if (waiter) waiter.go()
      else {
        news.returned[priority]++
        isAskedAgain = true
      }
    }
  }

  const rest = async (ms: number): Promise<void> => {
    nap = new AbortController()
    await clock.sleep(ms, nap.signal).catch(() => undefined)
    nap = undefined
  }

  /** While a request is under way, the others must hear that its holder lives, however long it takes. */
  const begin = (): void => {
    underWay++
    beat ??= setInterval(talk, holderGoneMs / 3).unref()
  }
  const end = (priority: Priority): void => {
    if (--underWay === 0) {
      clearInterval(beat)
      beat = undefined
    }
    news.answered[priority]++
    talk()
  }

  /** A permit that was under way when the vendor said to wait is given back. */
  const permitAfterPause = async (options: SpendOptions): Promise<void> => {
    for (;;) {
      await permit(options)
      if (clock.now().getTime() >= pausedUntilMs) return
      news.returned[options.priority]++
    }
  }

  const permit = ({ priority, signal, waits }: SpendOptions): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        waits,
        go() {
          leave()
          resolve()
        },
        fail(reason) {
          leave()
          reject(reason)
        },
      }
      const onAbort = () => {
        const at = waiting[priority].indexOf(waiter)
        if (at >= 0) waiting[priority].splice(at, 1)
        waiter.fail(signal?.reason)
        talk()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting[priority].push(waiter)
      // Of those that wait already the conversation knows when to ask again.
      if (!isTalking || waiting[priority].length === 1) talk()
    })

  return {
    used: () => (lastState ? usedShare(lastState, rules, clock.now().getTime()) : 0),
    pause(ms) {
      pausedUntilMs = Math.max(pausedUntilMs, clock.now().getTime() + ms)
      news.pauseMs = Math.max(news.pauseMs ?? 0, ms)
      talk()
    },
    learn(window) {
      if (learned.get(window.perMs) === window.count) return
      learned.set(window.perMs, window.count)
      news.learned.push(window)
    },
    async spend(send, options) {
      const { priority, waited, signal } = options
      const askedAt = clock.now().getTime()
      const leave = await queue.enter(places[priority], signal)
      try {
        signal?.throwIfAborted()
        await permitAfterPause(options)
        begin()
        const since = clock.now().getTime() - askedAt
        if (since > 5) waited(since)
        try {
          return await send()
        } finally {
          end(priority)
        }
      } finally {
        leave()
      }
    },
  }
}

function spentUntil(clock: Clock, waitMs: number): Failure {
  const waitUntil = new Date(clock.now().getTime() + waitMs).toISOString()
  return new Failure('throttled', `The account's budget is spent until ${waitUntil}.`, { waitUntil })
}

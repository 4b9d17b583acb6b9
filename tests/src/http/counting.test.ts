import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Budget, Window } from '../../../src/http/api.js'
import { createAccounts, type Spender, unlimited } from '../../../src/http/budget.js'
import { timerClock as clock } from './support.js'

/** Budgets as a vendor counts them: thousands of requests against a clock that is turned. */
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const spenderOf = (budget: Budget) => createAccounts(clock)('vendor', 'account').spender('x', budget)

/** Sends `total` requests by so many workers; the vendor counts each somewhen between its sending and its answer. */
async function load(spender: Spender, total: number, workers: number, random: () => number, longestMs: number) {
  const counted: number[] = []
  let left = total
  let underWay = 0
  let most = 0
  const work = async () => {
    while (left-- > 0) {
      const send = async () => {
        most = Math.max(most, ++underWay)
        const serviceMs = random() * longestMs
        const before = random() * serviceMs
        await clock.sleep(before)
        counted.push(Date.now())
        await clock.sleep(serviceMs - before)
        underWay--
      }
      await spender.spend(send, { priority: random() < 0.5 ? 'live' : 'backfill', waited: () => undefined })
    }
  }
  const startedAt = Date.now()
  const all = Promise.all(Array.from({ length: workers }, work))
  let isDone = false
  void all.finally(() => {
    isDone = true
  })
  while (!isDone) await vi.advanceTimersToNextTimerAsync()
  await all
  return { counted: counted.sort((a, b) => a - b), most, elapsedMs: Date.now() - startedAt }
}

/** Most requests in any window that slides, and in fixed ones that begin at any of a hundred offsets. */
function worst(counted: readonly number[], { perMs }: Window): { sliding: number; fixed: number } {
  let sliding = 0
  for (let from = 0, to = 0; from < counted.length; from++) {
    while (to < counted.length && counted[to]! < counted[from]! + perMs) to++
    sliding = Math.max(sliding, to - from)
  }
  let fixed = 0
  for (let offset = 0; offset < perMs; offset += perMs / 100) {
    const windows = new Map<number, number>()
    for (const at of counted) {
      const window = Math.floor((at - offset) / perMs)
      windows.set(window, (windows.get(window) ?? 0) + 1)
    }
    fixed = Math.max(fixed, ...windows.values())
  }
  return { sliding, fixed }
}

describe('a budget, as the vendor counts it', () => {
  it.each<[string, Budget, { longestMs: number; use: number }]>([
    ['a second', { windows: [{ count: 20, perMs: 1_000 }], concurrency: 8 }, { longestMs: 80, use: 0.9 }],
    [
      'a second and a minute',
      {
        windows: [
          { count: 75, perMs: 1_000 },
          { count: 700, perMs: 60_000 },
        ],
        concurrency: 8,
      },
      { longestMs: 80, use: 0.95 },
    ],
    [
      'one by one',
      {
        windows: [
          { count: 1, perMs: 1_000 },
          { count: 15, perMs: 60_000 },
        ],
        concurrency: 1,
      },
      { longestMs: 150, use: 0.9 },
    ],
    ['slow answers', { windows: [{ count: 10, perMs: 10_000 }], concurrency: 8 }, { longestMs: 900, use: 0.9 }],
    ['answers slower than the window', { windows: [{ count: 6, perMs: 1_000 }], concurrency: 32 }, { longestMs: 5_000, use: 0 }],
    [
      'three windows',
      {
        windows: [
          { count: 9, perMs: 1_000 },
          { count: 50, perMs: 10_000 },
          { count: 200, perMs: 60_000 },
        ],
        concurrency: 4,
      },
      { longestMs: 60, use: 0.9 },
    ],
  ])('is never gone beyond, and used: %s', async (_, budget, { longestMs, use }) => {
    const slowest = budget.windows.reduce((a, b) => (a.count / a.perMs < b.count / b.perMs ? a : b))
    const total = Math.min(2_500, slowest.count * 12)
    const { counted, most, elapsedMs } = await load(spenderOf(budget), total, 20, dice(total + longestMs), longestMs)
    expect(counted).toHaveLength(total)
    for (const window of budget.windows) {
      const { sliding, fixed } = worst(counted, window)
      expect(sliding).toBeLessThanOrEqual(window.count)
      expect(fixed).toBeLessThanOrEqual(window.count)
    }
    expect(most).toBeLessThanOrEqual(budget.concurrency)
    // The first window may be spent at once, so n windows' worth takes n - 1 windows.
    const shortestMs = (Math.ceil(total / slowest.count) - 1) * slowest.perMs
    expect(shortestMs / elapsedMs).toBeGreaterThanOrEqual(use)
  })

  it('holds while vendors pause it and tell what its windows really hold', async () => {
    const budget = { windows: [{ count: 30, perMs: 1_000 }], concurrency: 6 }
    const spender = spenderOf(budget)
    const random = dice(5)
    let pausedUntil = 0
    let sentEarly = 0
    const watched: Spender = {
      ...spender,
      spend: (send, options) =>
        spender.spend(async () => {
          if (Date.now() < pausedUntil) sentEarly++
          try {
            return await send()
          } finally {
            if (random() < 0.02) {
              const ms = Math.ceil(random() * 20_000)
              spender.pause(ms)
              pausedUntil = Math.max(pausedUntil, Date.now() + ms)
            }
          }
        }, options),
    }
    spender.learn({ count: 12, perMs: 1_000 })
    const { counted } = await load(watched, 1_000, 15, random, 70)
    expect(sentEarly).toBe(0)
    expect(worst(counted, { count: 12, perMs: 1_000 }).sliding).toBeLessThanOrEqual(12)
  })

  it('counts what failed, too', async () => {
    const spender = spenderOf({ windows: [{ count: 5, perMs: 1_000 }], concurrency: 3 })
    const sent: number[] = []
    const fail = () => {
      sent.push(Date.now())
      return Promise.reject(new Error('lost'))
    }
    const all = Promise.allSettled(Array.from({ length: 40 }, () => spender.spend(fail, { priority: 'live', waited: () => undefined })))
    await vi.runAllTimersAsync()
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true)
    expect(worst(sent, { count: 5, perMs: 1_000 }).sliding).toBe(5)
  })

  it('gives back the room of those that stop waiting, and their permits', async () => {
    const spender = spenderOf({ windows: [{ count: 2, perMs: 10_000 }], concurrency: 2 })
    const abort = new AbortController()
    const noted = { priority: 'live' as const, waited: () => undefined }
    const first = Promise.all([1, 2].map(() => spender.spend(() => Promise.resolve(), noted)))
    await vi.advanceTimersByTimeAsync(1)
    await first
    const stopped = Promise.allSettled(
      [1, 2, 3, 4, 5].map(() => spender.spend(() => Promise.resolve('sent'), { ...noted, signal: abort.signal })),
    )
    await vi.advanceTimersByTimeAsync(100)
    abort.abort(new Error('stop'))
    expect((await stopped).every((one) => one.status === 'rejected' && (one.reason as Error).message === 'stop')).toBe(true)
    const next = Promise.all([1, 2].map(() => spender.spend(() => Promise.resolve(Date.now()), noted)))
    const startedAt = Date.now()
    await vi.advanceTimersByTimeAsync(11_000)
    for (const at of await next) expect(at - startedAt).toBeLessThan(10_100)
  })

  it('does not hold back what has no budget, but for the vendor’s own word', async () => {
    const spender = spenderOf(unlimited)
    const noted = { priority: 'live' as const, waited: () => undefined }
    const all = Promise.all(Array.from({ length: 1_000 }, () => spender.spend(() => Promise.resolve(Date.now()), noted)))
    expect(new Set(await all).size).toBe(1)
    spender.pause(5_000)
    const startedAt = Date.now()
    const late = spender.spend(() => Promise.resolve(Date.now()), noted)
    await vi.advanceTimersByTimeAsync(6_000)
    expect((await late) - startedAt).toBe(5_000)
  })
})

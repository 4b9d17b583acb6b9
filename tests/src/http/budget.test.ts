import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/core/ports.js'
import { createAccounts, type SpendOptions, shareMs } from '../../../src/http/budget.js'

/** A clock that jumps to the next waiter when nothing else is left to do. */
function turned(): Clock & { nowMs: () => number } {
  let now = 1_000_000
  const waiting: { at: number; wake: () => void }[] = []
  let isTurning = false
  const turn = async () => {
    // Bottleneck starts its jobs by real timers of a millisecond.
    for (let idle = 0; idle < 3; idle++) await new Promise((resolve) => setTimeout(resolve, 2))
    waiting.sort((a, b) => a.at - b.at)
    const next = waiting.shift()
    if (!next) {
      isTurning = false
      return
    }
    now = Math.max(now, next.at)
    next.wake()
    void turn()
  }
  return {
    now: () => new Date(now),
    nowMs: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        waiting.push({ at: now + ms, wake: resolve })
        if (!isTurning) {
          isTurning = true
          void turn()
        }
      }),
  }
}

const options: SpendOptions = { priority: 'live', waited: () => undefined }
const spenderWith = (clock: Clock, windows: { count: number; perMs: number }[], concurrency = 4) =>
  createAccounts(clock)('vendor', 'account').spender('x', { windows, concurrency })

describe('a wait', () => {
  it('of seconds is told before it is over, with its length, and one of a moment is not', async () => {
    const clock = turned()
    const told: number[] = []
    const spender = spenderWith(clock, [{ count: 2, perMs: 20_000 }])
    const spend = () => spender.spend(async () => clock.nowMs(), { ...options, waits: (ms) => told.push(ms) })
    const [first] = await Promise.all([spend(), spend()])
    expect(told).toEqual([])
    const third = await spend()
    expect(told[0]).toBeGreaterThan(19_000)
    expect(told[0]).toBeLessThanOrEqual(third - first! + 250)
  })
})

describe('a budget', () => {
  it('never sends more than the windows hold, wherever the vendor lets them begin and whenever requests arrive', async () => {
    const clock = turned()
    const windows = [
      { count: 5, perMs: 1_000 },
      { count: 12, perMs: 10_000 },
    ]
    const spender = spenderWith(clock, windows)
    const arrivals: number[] = []
    let roll = 7
    const random = () => {
      roll = (roll * 16807) % 2147483647
      return roll / 2147483647
    }
    const send = async () => {
      // Counted somewhere between sending and answering.
      await clock.sleep(random() * 400)
      arrivals.push(clock.nowMs())
      await clock.sleep(random() * 400)
    }
    await Promise.all(Array.from({ length: 40 }, () => spender.spend(send, options)))
    expect(arrivals).toHaveLength(40)
    for (const { count, perMs } of windows) {
      // A fixed window is worst when it begins with an arrival.
      for (const from of arrivals) expect(arrivals.filter((at) => at >= from && at < from + perMs).length).toBeLessThanOrEqual(count)
    }
    // And it is used: forty requests at twelve in ten seconds need three such windows, and little more.
    expect(arrivals.at(-1)! - arrivals[0]!).toBeLessThan(36_000)
  })

  it('is shared by all that use an account, and not by another account', () => {
    const accounts = createAccounts(turned())
    const budget = { windows: [{ count: 1, perMs: 1_000 }], concurrency: 1 }
    expect(accounts('vendor', 'a').spender('x', budget)).toBe(accounts('vendor', 'a').spender('x', budget))
    expect(accounts('vendor', 'a').spender('x', budget)).not.toBe(accounts('vendor', 'b').spender('x', budget))
  })

  it('rests for as long as the vendor says, and counts the wait', async () => {
    const clock = turned()
    const spender = spenderWith(clock, [{ count: 10, perMs: 1_000 }])
    const startedAt = clock.nowMs()
    spender.pause(20_000)
    let waitedMs = 0
    await spender.spend(async () => expect(clock.nowMs() - startedAt).toBeGreaterThanOrEqual(20_000), {
      ...options,
      waited: (ms) => {
        waitedMs += ms
      },
    })
    expect(waitedMs).toBeGreaterThanOrEqual(20_000)
  })

  it('hands a wait of more than a minute back, with its end', async () => {
    const clock = turned()
    const spender = spenderWith(clock, [{ count: 1, perMs: 86_400_000 }], 1)
    await spender.spend(async () => undefined, options)
    await expect(spender.spend(async () => undefined, options)).rejects.toMatchObject({
      reason: 'throttled',
      where: { waitUntil: new Date(1_000_000 + 86_400_000 + 250).toISOString() },
    })
  })

  it('lets live requests go before those of a backfill', async () => {
    const clock = turned()
    const spender = spenderWith(clock, [{ count: 1, perMs: 1_000 }], 1)
    const order: string[] = []
    const spend = (priority: 'live' | 'backfill') => spender.spend(async () => void order.push(priority), { ...options, priority })
    await Promise.all([spend('backfill'), spend('backfill'), spend('backfill'), spend('live'), spend('live')])
    // What was begun is not taken back.
    expect(order).toEqual(['backfill', 'live', 'live', 'backfill', 'backfill'])
  })

  it('learns how much a window really holds', async () => {
    const clock = turned()
    const spender = spenderWith(clock, [{ count: 2, perMs: 10_000 }], 2)
    spender.learn({ count: 6, perMs: 10_000 })
    const at: number[] = []
    await Promise.all(Array.from({ length: 7 }, () => spender.spend(async () => void at.push(clock.nowMs()), options)))
    expect(at.filter((one) => one - at[0]! < 10_000)).toHaveLength(6)
  })

  it('lets go of whoever waits when they are told to stop', async () => {
    const clock = turned()
    const spender = spenderWith(clock, [{ count: 1, perMs: 50_000 }], 1)
    await spender.spend(async () => undefined, options)
    const abort = new AbortController()
    const waiting = spender.spend(async () => undefined, { ...options, signal: abort.signal })
    abort.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
  })
})

describe('what a request of a backfill takes in the long run', () => {
  const budgets = {
    calls: {
      windows: [
        { count: 10, perMs: 1_000 },
        { count: 150, perMs: 60_000 },
      ],
      concurrency: 4,
    },
  }

  it('follows from the narrowest window and the share', () => {
    expect(shareMs({ budgets }, undefined)).toBeCloseTo(400 / 0.3)
    expect(shareMs({ budgets }, { backfillShare: 0.5 })).toBeCloseTo(800)
    expect(shareMs({ budgets }, { requests: { count: 1, perMs: 100 }, backfillShare: 1 })).toBeCloseTo(100)
    expect(shareMs({ budgets }, { perDay: 864, backfillShare: 1 })).toBeCloseTo(100_000)
    expect(shareMs({ budgets }, 'off')).toBeUndefined()
  })
})

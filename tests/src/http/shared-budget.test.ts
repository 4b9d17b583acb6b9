import { setMaxListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { BudgetStore } from '../../../src/core/ports.js'
import type { Budget } from '../../../src/http/api.js'
import { createAccounts, type Priority, type Spender } from '../../../src/http/budget.js'
import { holderGoneMs, memoryStore } from '../../../src/http/permits.js'
import { timerClock as clock } from './support.js'

/** Several processes that share one store, against a vendor that counts them together, in turned time. */
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A store as far away as a database is. */
function distant(ms: number): BudgetStore {
  const store = memoryStore(clock)
  return {
    async update(key, change) {
      await clock.sleep(ms)
      const answer = await store.update(key, change)
      await clock.sleep(ms)
      return answer
    },
  }
}

const processes = (count: number, store: BudgetStore, budget: Budget & { backfillShare?: number }): Spender[] =>
  Array.from({ length: count }, () => createAccounts(clock, store)('vendor', 'account').spender('x', budget))

interface Counted {
  at: number
  priority: Priority
  process: number
}

/** Every process has so many requests under way for `ms`; what the vendor counted, and when. */
async function spend(spenders: readonly Spender[], lanes: readonly (readonly Priority[])[], ms: number): Promise<Counted[]> {
  const counted: Counted[] = []
  const endsAt = Date.now() + ms
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  const lane = async (process: number, priority: Priority) => {
    while (Date.now() < endsAt)
      await spenders[process]!.spend(
        async () => {
          await clock.sleep(2)
          counted.push({ at: Date.now(), priority, process })
          await clock.sleep(3)
        },
        { priority, waited: () => undefined, signal: abort.signal },
      )
  }
  const all = Promise.allSettled(spenders.flatMap((_, i) => lanes[i % lanes.length]!.map((priority) => lane(i, priority))))
  await vi.advanceTimersByTimeAsync(ms)
  abort.abort(new Error('over'))
  await vi.advanceTimersByTimeAsync(200)
  await all
  return counted
}

function most(counted: readonly Counted[], perMs: number): number {
  const times = counted.map(({ at }) => at).sort((a, b) => a - b)
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + perMs).length))
}

describe('a budget shared by eight processes', () => {
  const budget = { windows: [{ count: 20, perMs: 1_000 }], concurrency: 8 }

  it('is never gone beyond, used nine tenths and more, and every process has its part', async () => {
    const counted = await spend(processes(8, distant(1), budget), [['live', 'live', 'live']], 20_000)
    expect(most(counted, 1_000)).toBeLessThanOrEqual(20)
    // The first window may be spent at once; twenty seconds hold twenty more.
    expect(counted.length).toBeGreaterThanOrEqual(0.9 * 20 * 20)
    for (let process = 0; process < 8; process++)
      expect(counted.filter((one) => one.process === process).length).toBeGreaterThan(counted.length / 8 / 3)
  })

  it('holds two windows at once', async () => {
    const windows = [
      { count: 10, perMs: 1_000 },
      { count: 150, perMs: 60_000 },
    ]
    const counted = await spend(processes(4, distant(1), { windows, concurrency: 5 }), [['live', 'live']], 130_000)
    expect(most(counted, 1_000)).toBeLessThanOrEqual(10)
    expect(most(counted, 60_000)).toBeLessThanOrEqual(150)
    expect(counted.length).toBeGreaterThanOrEqual(0.9 * 2 * 150)
  })

  it('gives a backfill its share while live work waits, and all of it afterwards', async () => {
    const spenders = processes(4, distant(1), { ...budget, backfillShare: 0.3 })
    const lanes = [
      ['live', 'live', 'live'],
      ['backfill', 'backfill', 'backfill'],
    ] as const
    const both = await spend(spenders, lanes, 20_000)
    const share = both.filter(({ priority }) => priority === 'backfill').length / both.length
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.4)
    expect(most(both, 1_000)).toBeLessThanOrEqual(20)
    const alone = await spend(spenders, [['backfill']], 10_000)
    expect(alone.length).toBeGreaterThanOrEqual(0.85 * 20 * 10)
  })

  it('keeps to the requests under way of all together', async () => {
    let underWay = 0
    let peak = 0
    const spenders = processes(4, distant(1), { windows: [{ count: 1_000, perMs: 1_000 }], concurrency: 3 })
    const send = async () => {
      peak = Math.max(peak, ++underWay)
      await clock.sleep(40)
      underWay--
    }
    const all = Promise.all(
      spenders.flatMap((spender) => Array.from({ length: 10 }, () => spender.spend(send, { priority: 'live', waited: () => undefined }))),
    )
    await vi.advanceTimersByTimeAsync(10_000)
    await all
    expect(peak).toBe(3)
  })

  it('rests for all when one is told to wait', async () => {
    const [first, second] = processes(2, distant(1), budget)
    first!.pause(30_000)
    await vi.advanceTimersByTimeAsync(10)
    const startedAt = Date.now()
    const sent = second!.spend(async () => Date.now(), { priority: 'live', waited: () => undefined })
    await vi.advanceTimersByTimeAsync(31_000)
    expect((await sent) - startedAt).toBeGreaterThanOrEqual(29_000)
  })

  it('takes what a lost process had under way for answered, and not before; a long request keeps its place', async () => {
    const store = distant(1)
    let isLost = false
    // A process that is killed is never heard of again.
    const mortal: BudgetStore = { update: (key, change) => (isLost ? new Promise(() => undefined) : store.update(key, change)) }
    const small = { windows: [{ count: 5, perMs: 1_000 }], concurrency: 2 }
    const [lost] = processes(1, mortal, small)
    const [other] = processes(1, store, small)
    const noted = { priority: 'live' as const, waited: () => undefined }
    for (let i = 0; i < 2; i++) void lost!.spend(() => new Promise(() => undefined), noted)
    await vi.advanceTimersByTimeAsync(50)
    const sent: number[] = []
    const next = other!.spend(async () => void sent.push(Date.now()), noted)
    await vi.advanceTimersByTimeAsync(3 * holderGoneMs)
    expect(sent).toEqual([])
    isLost = true
    const killedAt = Date.now()
    await vi.advanceTimersByTimeAsync(holderGoneMs + 1_000)
    await next
    expect(sent[0]! - killedAt).toBeGreaterThan(holderGoneMs / 2)
  })

  it('fails those that wait when the store cannot be reached, and counts on when it can', async () => {
    const store = memoryStore(clock)
    let isDown = false
    const flaky: BudgetStore = {
      update: (key, change) => (isDown ? Promise.reject(new Failure('transient', 'The warehouse is away.')) : store.update(key, change)),
    }
    const [spender] = processes(1, flaky, { windows: [{ count: 2, perMs: 10_000 }], concurrency: 2 })
    const noted = { priority: 'live' as const, waited: () => undefined }
    await spender!.spend(async () => {
      isDown = true
    }, noted)
    await expect(spender!.spend(async () => undefined, noted)).rejects.toThrow('The warehouse is away.')
    isDown = false
    await spender!.spend(async () => undefined, noted)
    const startedAt = Date.now()
    const third = spender!.spend(async () => Date.now(), noted)
    await vi.advanceTimersByTimeAsync(11_000)
    expect((await third) - startedAt).toBeGreaterThan(9_000)
  })
})

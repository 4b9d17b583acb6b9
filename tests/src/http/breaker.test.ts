import { describe, expect, it } from 'vitest'
import type { BudgetStore } from '../../../src/core/ports.js'
import { createAccounts } from '../../../src/http/budget.js'
import { memoryStore } from '../../../src/http/permits.js'

describe('a breaker', () => {
  let now = 0
  const clock = { now: () => new Date(now), sleep: () => Promise.resolve() }
  const processes = (count: number, store: BudgetStore = memoryStore(clock)) =>
    Array.from({ length: count }, () => createAccounts(clock, store)('Vendor', 'account').breaker)
  const many = async (times: number, act: () => Promise<void>) => {
    for (let i = 0; i < times; i++) await act()
  }

  it('opens after eight failures in a row, and says until when', async () => {
    const [breaker] = processes(1)
    await many(7, breaker!.bad)
    await breaker!.check()
    await breaker!.good()
    await many(7, breaker!.bad)
    await breaker!.check()
    await breaker!.bad()
    await expect(breaker!.check()).rejects.toMatchObject({
      reason: 'throttled',
      where: { waitUntil: new Date(now + 15_000).toISOString(), waitsFor: 'vendor' },
    })
  })

  it('lets one request try when its rest is over, rests longer when that fails, and closes when it does not', async () => {
    const [breaker] = processes(1)
    await many(8, breaker!.bad)
    now += 15_000
    await breaker!.check()
    await expect(breaker!.check()).rejects.toThrow(/failed 8 times/)
    await breaker!.bad()
    now += 29_000
    await expect(breaker!.check()).rejects.toThrow(/next try/)
    now += 1_000
    await breaker!.check()
    await breaker!.good()
    await breaker!.check()
    await breaker!.check()
  })

  it('is one for all processes: failures add up, all of them rest, and one of them tries for all', async () => {
    const [one, other] = processes(2)
    await many(4, one!.bad)
    await many(4, other!.bad)
    await expect(one!.check()).rejects.toMatchObject({ reason: 'throttled' })
    now += 15_000
    await other!.check()
    await expect(one!.check()).rejects.toMatchObject({ reason: 'throttled' })
    await other!.good()
    await one!.check()
  })

  it('of one process is closed by the good answers of another, which hears of it in seconds', async () => {
    const [one, other] = processes(2)
    await other!.check()
    await many(7, one!.bad)
    now += 2_000
    await other!.check()
    await other!.good()
    await one!.bad()
    now += 2_000
    await one!.check()
    await other!.check()
  })

  it('does not add what failed long ago', async () => {
    const [breaker] = processes(1)
    await many(7, breaker!.bad)
    now += 3_600_000
    await breaker!.bad()
    await breaker!.check()
  })

  it('that cannot be told of an answer says it with the next one', async () => {
    const memory = memoryStore(clock)
    let isGone = false
    const store: BudgetStore = { update: (key, change) => (isGone ? Promise.reject(new Error('gone')) : memory.update(key, change)) }
    const [breaker] = processes(1, store)
    isGone = true
    await many(7, breaker!.bad)
    isGone = false
    await breaker!.bad()
    await expect(breaker!.check()).rejects.toThrow(/failed 8 times/)
    now += 15_000
    await breaker!.check()
    isGone = true
    await breaker!.good()
    isGone = false
    await breaker!.good()
    await breaker!.check()
  })
})

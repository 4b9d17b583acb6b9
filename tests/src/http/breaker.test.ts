import { describe, expect, it } from 'vitest'
import { createBreaker } from '../../../src/http/breaker.js'

describe('a breaker', () => {
  let now = 0
  const clock = { now: () => new Date(now), sleep: () => Promise.resolve() }
  const many = (times: number, act: () => void) => {
    for (let i = 0; i < times; i++) act()
  }

  it('opens after eight failures in a row, and says until when', () => {
    const breaker = createBreaker(clock, 'Vendor')
    many(7, breaker.bad)
    breaker.check()
    breaker.good()
    many(7, breaker.bad)
    breaker.check()
    breaker.bad()
    expect(() => breaker.check()).toThrow(
      expect.objectContaining({ reason: 'throttled', where: { waitUntil: new Date(now + 15_000).toISOString() } }),
    )
  })

  it('lets one request try when its rest is over, rests longer when that fails, and closes when it does not', () => {
    const breaker = createBreaker(clock, 'Vendor')
    many(8, breaker.bad)
    now += 15_000
    breaker.check()
    expect(() => breaker.check()).toThrow(/failed 8 times/)
    breaker.bad()
    now += 29_000
    expect(() => breaker.check()).toThrow(/next try/)
    now += 1_000
    breaker.check()
    breaker.good()
    breaker.check()
    breaker.check()
  })
})

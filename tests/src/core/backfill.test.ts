import { describe, expect, it } from 'vitest'
import { leftMs, overlaps } from '../../../src/core/backfill.js'

describe('how long a backfill will take', () => {
  const pace = { total: 100, settled: 20, requests: 200, activeMs: 60_000 }

  it('is said by the pace so far', () => {
    expect(leftMs(pace)).toBe(240_000)
  })

  it('is no less than the requests take at its share of the budget, while few slices are done', () => {
    // Ten requests a slice, a second each.
    expect(leftMs({ ...pace, settled: 2, requests: 20, activeMs: 1_000, requestMs: 1_000 })).toBe(98 * 10 * 1_000)
    expect(leftMs({ ...pace, settled: 2, requests: 20, activeMs: 1_000_000, requestMs: 1_000 })).toBe(49_000_000)
    expect(leftMs({ ...pace, requestMs: 1_000 })).toBe(240_000)
  })

  it('cannot be said before a slice is done, and is nothing when none is left', () => {
    expect(leftMs({ ...pace, settled: 0 })).toBeUndefined()
    expect(leftMs({ ...pace, settled: 100 })).toBe(0)
  })
})

describe('two backfills of a sync', () => {
  const one = { sync: 'a', streams: ['x', 'y'], from: '2026-01-01', to: '2026-02-01' }

  it('read some of the same where streams and ranges meet; an end is not included', () => {
    expect(overlaps(one, { ...one, streams: ['y'], from: '2026-01-31', to: '2026-03-01' })).toBe(true)
    expect(overlaps(one, { ...one, streams: ['z'] })).toBe(false)
    expect(overlaps(one, { ...one, sync: 'b' })).toBe(false)
    expect(overlaps(one, { ...one, from: '2026-02-01', to: '2026-03-01' })).toBe(false)
  })
})

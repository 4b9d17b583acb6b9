import { expect, it } from 'vitest'
import { describeBackfill } from '../../workflows/describe-backfill.js'

const input = { id: 'b', sync: 'shop', definition: 'none', streams: ['orders'], from: '2026-01-01', to: '2026-02-01', by: 'ana' }

it('a backfill says what it waits for: of several waits the one that ends first', () => {
  const waiting = new Map([
    ['orders 1', { for: 'quota' as const, until: '2026-11-27T12:30:00.000Z' }],
    ['orders 2', { for: 'vendor' as const, until: '2026-11-27T12:00:00.000Z' }],
  ])
  const shown = { input, streams: new Map(), isPaused: false, waiting }
  expect(describeBackfill(shown)).toContain('Waiting for the vendor, which is down, until 2026-11-27T12:00:00.000Z.')
  waiting.delete('orders 2')
  expect(describeBackfill(shown)).toContain("Waiting for the vendor's quota until 2026-11-27T12:30:00.000Z.")
})

import { describe, expect, it } from 'vitest'
import { page } from '../../../src/status/page.js'
import { type ShownBackfill, type ViewOptions, viewOf } from '../../../src/status/view.js'
import type { Overview } from '../../../src/warehouse/contract/reports.js'
import { overview, runReport, streamStatus } from '../../support/overview.js'

const options: ViewOptions = { backfills: [], temporalUi: 'http://127.0.0.1:8233/', namespace: 'default', days: 3 }
const view = (changes: Partial<Overview> = {}, more: Partial<ViewOptions> = {}) => viewOf(overview(changes), { ...options, ...more })

const backfill: ShownBackfill = {
  id: 'b1',
  sync: 'shop',
  streams: ['orders'],
  from: '2024-01-01',
  to: '2026-01-01',
  status: 'running',
  createdAt: '2026-11-27T11:00:00.000Z',
  slices: { total: 104, done: 26, failed: 0 },
  read: 5_000,
  loaded: 4_000,
  unchanged: 1_000,
  deadLetters: 0,
  endsAt: '2026-11-27T15:00:00.000Z',
}

describe('the view of the status page', () => {
  it('says how old the last completed run and the watermark are, by the warehouse’s clock', () => {
    expect(view().syncs[0]).toMatchObject({
      lastCompletedSeconds: 3_600,
      streams: [{ stream: 'orders', behindSeconds: 3_630 }],
    })
  })

  it('has a bar for each day, also for those without a run', () => {
    expect(view().syncs[0]!.days).toEqual([
      { day: '2026-11-25', rows: 0, failed: 0 },
      { day: '2026-11-26', rows: 0, failed: 0 },
      { day: '2026-11-27', rows: 1_234, failed: 0 },
    ])
  })

  it('links each run, stream and backfill to its workflow, and nothing where no UI is known', () => {
    const linked = view({}, { backfills: [backfill] })
    expect(linked.runs[0]!.url).toBe('http://127.0.0.1:8233/namespaces/default/workflows/sync%2Fshop/run-1')
    expect(linked.syncs[0]!.streams[0]!.url).toBe('http://127.0.0.1:8233/namespaces/default/workflows/stream%2Fshop%2Forders')
    expect(linked.backfills[0]!.url).toBe('http://127.0.0.1:8233/namespaces/default/workflows/backfill%2Fshop%2Fb1')
    expect(viewOf(overview(), { ...options, temporalUi: undefined }).runs[0]).not.toHaveProperty('url')
  })

  it('says of a failure what, why, whose move and what next', () => {
    const failed = runReport({
      status: 'failed',
      failure: { reason: 'auth', message: 'The key was refused.' },
      acts: 'user: credentials',
      next: 'weir check',
    })
    expect(view({ runs: [failed] }).runs[0]!.trouble).toBe(
      'The key was refused. Reason: auth. Whose move: user: credentials. Next: weir check',
    )
  })

  it('says who paused a run, why, and how it goes on; and what a quota wait is', () => {
    const { finishedAt: _, ...open } = runReport({
      status: 'paused',
      pause: { by: 'anna', reason: 'lunch', at: '2026-11-27T11:59:00.000Z' },
    })
    const { finishedAt: __, ...waiting } = streamStatus({ status: 'waiting', wait: { until: '2026-11-27T13:00:00.000Z', for: 'quota' } })
    const both = view({ runs: [open], statuses: [waiting] })
    expect(both.runs[0]!.trouble).toMatch(/Paused by anna .*lunch. Next: weir resume shop/)
    expect(both.syncs[0]!.streams[0]!.trouble).toMatch(/quota until 2026-11-27T13:00.*goes on by itself/)
  })

  it('names the command for each kind of dead letters, and for each decision that waits', () => {
    const shown = view({
      letters: [{ sync: 'shop', stream: 'orders', reason: 'record', letters: 3, lastSeenAt: '2026-11-27T11:00:00.000Z' }],
      pending: [
        {
          id: 12,
          sync: 'shop',
          stream: 'orders',
          schema: 'shop',
          table: 'orders',
          change: 'field_new',
          field: 'tip',
          type: 'double',
          status: 'pending',
          createdAt: '2026-11-27T11:00:00.000Z',
        },
      ],
    })
    expect(shown.letters[0]!.next).toBe('weir dlq list shop --stream orders --reason record')
    expect(shown.pending[0]).toMatchObject({ what: expect.stringContaining('"tip"'), next: 'weir changes approve 12' })
  })
})

describe('the page', () => {
  it('escapes whatever it is given', () => {
    const evil = `<script>alert(1)</script>"'&`
    const text = page(
      view(
        { runs: [runReport({ failure: { reason: 'bug', message: evil } })], statuses: [streamStatus({ stream: evil })] },
        { backfills: [{ ...backfill, id: evil }] },
      ),
      evil,
    )
    expect(text).not.toContain('<script')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;')
  })

  it('links to web addresses alone', () => {
    expect(page(view({}, { temporalUi: 'javascript:alert(1)' }))).not.toContain('href="javascript')
  })

  it('has landmarks, a caption and heads for each table, and words for what colours and charts show', () => {
    const text = page(view({}, { backfills: [backfill] }))
    for (const part of ['<html lang="en">', '<header>', '<main>', '<nav aria-label']) expect(text).toContain(part)
    const tables = text.match(/<table>/g)!.length
    expect(text.match(/<caption>/g)).toHaveLength(tables)
    expect(text).toMatch(/<svg role="img" aria-label="shop: 1,234 rows loaded in 3 days/)
    expect(text).toContain('26 of 104 slices')
    expect(text).not.toMatch(/<script|style="/)
  })
})

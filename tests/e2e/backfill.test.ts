import { kill } from 'node:process'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Stack } from '../../cli/dev/stack.js'
import { connector as googleAds } from '../../connectors/google-ads/source.js'
import { connector as klaviyo } from '../../connectors/klaviyo/source.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Rec } from '../../src/core/types.js'
import type { BackfillDetail } from '../../src/warehouse/contract/backfills.js'
import type { Project } from '../support/project.js'
import { startProject } from '../support/stack.js'
import { truthOf } from '../support/truth.js'

const range = ['--from', '2024-11-20', '--to', '2026-11-20']

/** Two years of events and of a report, beside live syncs that hold two weeks of them. */
describe('a backfill of 24 months', () => {
  let sandbox: Sandbox
  let project: Project
  let stack: Stack
  let db: pg.Client
  let stop: () => Promise<void>
  let marks: unknown
  let first: string

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 300, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    const { clientId, clientSecret, refreshToken } = sandbox.google_ads.oauth
    ;({ project, stack, db, stop } = await startProject(
      `
version: 1
connections:
  klaviyo: { type: klaviyo, base_url: "${sandbox.url}", api_key: "${sandbox.klaviyo.apiKey}", budget: "off" }
  google_ads: { type: google_ads, base_url: "${sandbox.url}", oauth_base_url: "${sandbox.url}", budget: "off", login_customer_id: "5555555555",
    client_id: "${clientId}", client_secret: "${clientSecret}", refresh_token: "${refreshToken}" }
syncs:
  klaviyo: { from: klaviyo, streams: { events: { start: 2026-11-06 }, metrics: {} } }
  google_ads: { from: google_ads, streams: { campaign_daily: { start: 2026-11-06 } } }
`,
      {
        heartbeatMs: 1_500,
        retryMs: 200,
        drainMs: 5_000,
        ports: { postgres: 25_632, temporal: 27_433, temporalUi: 28_433 },
        client: { options: '-c timezone=UTC' },
      },
    ))
  })
  afterAll(async () => {
    await stop?.()
    await sandbox?.stop()
  })

  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await project.weir([...args, '--json'])
    expect(code, `weir ${args.join(' ')}: ${stdout}${stderr}`).toBe(0)
    return JSON.parse(stdout)
  }
  const show = async (id: string) => (await ok('backfill', 'show', id)).backfill as BackfillDetail
  const watermarks = async () =>
    (await db.query('SELECT sync, stream, pass, parent, watermark FROM _weir.watermarks ORDER BY 1, 2, 3, 4')).rows
  const done = async (id: string) =>
    (await db.query(`SELECT count(*)::int AS n FROM _weir.backfill_slices WHERE backfill = $1 AND state = 'finished'`, [id])).rows[0].n
  const whenDone = (id: string, slices: number) => vi.waitFor(async () => expect(await done(id)).toBeGreaterThanOrEqual(slices), 120_000)
  /** Kills the worker and those below it; the supervisor starts another. */
  const killWorker = () =>
    vi.waitFor(() => {
      const { worker: pid } = stack.info.pids
      expect(pid).toBeDefined()
      kill(-pid!, 'SIGKILL')
    }, 20_000)
  /** What tells records of the truth and rows of the table apart, as text; sorted. */
  const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.map((cell) => String(cell ?? '')).join(' ')).sort()
  const events = async () =>
    sorted(
      (await db.query({ text: 'SELECT id, datetime, metric_id, event_properties FROM klaviyo.events', rowMode: 'array' })).rows.map(
        ([id, at, metric, properties]) => [id, at.toISOString(), metric, Object.keys(properties ?? {}).length],
      ),
    )
  const eventsAtVendor = () =>
    sorted(
      truthOf(sandbox, 'klaviyo', 'events')
        .map((raw) => klaviyo.source.streams.events!.record(raw))
        .filter(({ datetime }) => Date.parse(String(datetime)) >= Date.parse('2024-11-20T00:00:00Z'))
        .map(({ id, datetime, metric_id, event_properties }: Rec) => [
          id,
          new Date(String(datetime)).toISOString(),
          metric_id,
          Object.keys((event_properties as Rec) ?? {}).length,
        ]),
    )

  it('begins beside what the live syncs hold, and is refused for what takes no range', { timeout: 240_000 }, async () => {
    await ok('sync')
    marks = await watermarks()
    const { code, stdout } = await project.weir(['backfill', 'klaviyo', ...range, '--stream', 'metrics', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error.message).toMatch(/Stream metrics .*takes no backfill.*weir sync klaviyo --stream metrics --full/)
    const started = await ok('backfill', 'klaviyo', ...range, '--slice', '1d', '--parallel', '1', '--detach')
    first = started.backfill
    await whenDone(first, 3)
    const again = await project.weir(['backfill', 'klaviyo', ...range, '--detach', '--json'])
    expect(again.code).toBe(2)
    expect(JSON.parse(again.stdout).error.message).toContain(`weir backfill cancel ${first}`)
  })

  it('stops when it is paused, while the live sync goes on, and goes on when it is resumed though its worker was killed', {
    timeout: 240_000,
  }, async () => {
    await ok('backfill', 'pause', first)
    // What was under way has ended when no slice is held; then nothing further may be done.
    await vi.waitFor(async () => {
      const { rows } = await db.query(
        `SELECT count(*)::int AS n FROM _weir.backfill_slices WHERE backfill = $1 AND epoch > 0 AND state = 'open'`,
        [first],
      )
      expect(rows[0].n).toBe(0)
    }, 30_000)
    const before = await done(first)
    await ok('sync', 'klaviyo')
    marks = await watermarks()
    expect(await show(first)).toMatchObject({ status: 'paused', slices: { total: 730, done: before, failed: 0 } })
    await killWorker()
    await ok('backfill', 'resume', first)
    await whenDone(first, before + 5)
    await killWorker()
    await whenDone(first, before + 10)
    expect((await show(first)).endsAt).toBeDefined()
  })

  it('is cancelled and leaves what it loaded, no stage, and the live watermarks as they were', { timeout: 240_000 }, async () => {
    await ok('backfill', 'cancel', first)
    const row = await show(first)
    expect(row.status).toBe('cancelled')
    expect(row.slices.done).toBeLessThan(row.slices.total)
    expect(row.read).toBe(row.loaded + row.unchanged + row.deadLetters)
    expect(await watermarks()).toEqual(marks)
  })

  it('run again gives the truth, row by row, beside a live run; and once more changes nothing', { timeout: 240_000 }, async () => {
    const [{ backfill: second }] = await Promise.all([ok('backfill', 'klaviyo', ...range, '--parallel', '4'), ok('sync', 'klaviyo')])
    expect(second).toMatchObject({ status: 'completed', deadLetters: 0, slices: { failed: 0 } })
    expect(second.read).toBe(second.loaded + second.unchanged)
    expect(eventsAtVendor().length).toBeGreaterThan(1_000)
    expect(await events()).toEqual(eventsAtVendor())
    const rows = async () => (await db.query('SELECT id, xmin::text FROM klaviyo.events ORDER BY id')).rows
    const before = await rows()
    const { backfill: third } = await ok('backfill', 'klaviyo', ...range, '--parallel', '4', '--follow')
    expect(third).toMatchObject({ status: 'completed', loaded: 0, read: second.read })
    expect(await rows()).toEqual(before)
  })

  it('of a report of ad accounts replaces its days, account by account', { timeout: 240_000 }, async () => {
    const before = await watermarks()
    const { backfill } = await ok('backfill', 'google_ads', ...range, '--parallel', '4')
    expect(backfill).toMatchObject({ status: 'completed', deadLetters: 0 })
    const stream = googleAds.source.streams.campaign_daily!
    const key = ({ customer_id, campaign_id, date }: Rec) => [customer_id, campaign_id, date]
    const there = await db.query({
      text: 'SELECT customer_id::text, campaign_id::text, date::text, cost_micros::text FROM google_ads.campaign_daily',
      rowMode: 'array',
    })
    const truth = truthOf(sandbox, 'google_ads', 'campaign_daily')
      .map((raw) => stream.record(raw))
      .filter(({ date }) => String(date) >= '2024-11-20')
      .map((row) => [...key(row), row.cost_micros])
    expect(truth.length).toBeGreaterThan(1_000)
    expect(sorted(there.rows)).toEqual(sorted(truth))
    expect(await watermarks()).toEqual(before)
  })

  it('is told by its runs, and leaves nothing behind', async () => {
    const { runs } = await ok('runs', 'klaviyo')
    const kinds = (runs as { kind: string; status: string }[]).map(({ kind, status }) => `${kind} ${status}`)
    expect(kinds.filter((one) => one.startsWith('backfill')).sort()).toEqual([
      'backfill cancelled',
      'backfill completed',
      'backfill completed',
    ])
    const { rows } = await db.query(
      `SELECT (SELECT count(*) FROM _weir.checkpoints)::int AS checkpoints, (SELECT count(*) FROM _weir.backfill_overtaken)::int AS overtaken,
         (SELECT count(*) FROM pg_tables WHERE schemaname = '_weir_stage')::int AS stages`,
    )
    expect(rows).toEqual([{ checkpoints: 0, overtaken: 0, stages: 0 }])
    const { backfills } = await ok('backfill', 'list')
    expect(backfills).toHaveLength(4)
  })
})

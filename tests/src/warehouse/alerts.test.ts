import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { judge } from '../../../src/alerts/judge.js'
import { look } from '../../../src/alerts/look.js'
import type { Definition } from '../../../src/core/definition.js'
import { noCounts, nothingUsed } from '../../../src/core/receipt.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'
import { listening, webhook } from '../alerts/support.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const redact = (text: string) => text

describe.each(servers())('alerts on PostgreSQL $name', ({ url: server }) => {
  let base: Opened
  beforeAll(async () => {
    base = await openedDatabase(server)
  })
  afterAll(() => base.close())
  beforeEach(async () => {
    await base.db.query(
      'TRUNCATE _weir.alerts, _weir.alert_deliveries, _weir.alert_watch, _weir.runs, _weir.stream_runs, _weir.schema_changes, _weir.dead_letters, _weir.checkpoints, _weir.watermarks, _weir.quality_results, _weir.deployments, _weir.definitions CASCADE',
    )
  })

  const define = async (more: Partial<Definition> = {}) => {
    const definition = fakeDefinition({ sync: 'shop', streams: { people: {}, orders: {} }, alerts: [webhook()], ...more })
    await base.warehouse.definitions.put('hash', definition)
    return definition
  }
  let minutes = 0
  /** A run that has ended, `minutesAgo` ago at its start; each stream with its reason, or without one. */
  const ran = async (streams: Record<string, string | undefined>, { status = 'completed', minutesAgo = 10, kind = 'manual' } = {}) => {
    const run = `run-${++minutes}`
    await base.warehouse.runs.start({ run, sync: 'shop', definition: 'hash', kind: kind as 'manual' })
    for (const [stream, reason] of Object.entries(streams))
      await base.db.query(
        `INSERT INTO _weir.stream_runs (run_id, sync, stream, status, failure_reason, failure_message, started_at, finished_at)
         VALUES ($1, 'shop', $2, $3, $4, $5, now() - make_interval(mins => $6), now())`,
        [
          run,
          stream,
          reason === undefined ? 'completed' : 'failed',
          reason ?? null,
          reason === undefined ? null : `it said ${reason}`,
          minutesAgo,
        ],
      )
    if (status !== 'running') await base.warehouse.runs.finish(run, status as 'completed', noCounts())
    await base.db.query('UPDATE _weir.runs SET started_at = now() - make_interval(mins => $2) WHERE run_id = $1', [run, minutesAgo])
    return run
  }
  const lookAll = (warehouse = base.warehouse) => look({ warehouse, log: quiet, redact })
  const rows = async (sql: string) => (await base.db.query(sql)).rows
  const events = async () =>
    (await rows(`SELECT event || ' ' || kind AS said FROM _weir.alert_deliveries ORDER BY ordinal`)).map(({ said }) => said)

  it('open once, end once, and each is one message', async () => {
    await define()
    await ran({ people: 'auth', orders: 'auth' }, { status: 'failed', minutesAgo: 30 })
    expect(await lookAll()).toEqual({ syncs: 1, opened: 2, resolved: 0, due: 1 })
    expect(await lookAll()).toMatchObject({ opened: 0, resolved: 0 })
    const open = await base.warehouse.alerts.list({ limit: 10 })
    expect(open.map(({ stream, kind, severity, reason }) => [stream, kind, severity, reason]).sort()).toEqual([
      ['orders', 'failed', 'error', 'auth'],
      ['people', 'failed', 'error', 'auth'],
    ])
    await ran({ people: undefined, orders: undefined })
    expect(await lookAll()).toMatchObject({ opened: 0, resolved: 2 })
    expect(await events()).toEqual(['opened failed', 'resolved failed'])
    const [{ alerts }] = (await rows('SELECT alerts FROM _weir.alert_deliveries ORDER BY ordinal LIMIT 1')) as [{ alerts: string[] }]
    expect(alerts.sort()).toEqual(open.map(({ id }) => id).sort())
    expect(await base.warehouse.alerts.list({ limit: 10 })).toEqual([])
    expect(await base.warehouse.alerts.list({ limit: 10, withResolved: true })).toHaveLength(2)
  })

  it('are not doubled by eight who look at once, through pools of their own', async () => {
    await define()
    await ran({ people: 'auth', orders: undefined }, { status: 'partial' })
    const others = Array.from({ length: 8 }, () => createWarehouse(base.url, { connections: 1 }))
    const receipts = await Promise.all(others.map((one) => lookAll(one)))
    expect(receipts.reduce((sum, { opened }) => sum + opened, 0)).toBe(1)
    expect(await events()).toEqual(['opened failed'])
    await Promise.all(others.map((one) => one.close()))
  })

  it('and their messages are written together or not at all', async () => {
    const definition = await define()
    await ran({ people: 'auth' }, { status: 'failed' })
    const [watched] = await base.warehouse.alerts.watched()
    // A message that cannot be written: its event is none.
    const broken = base.warehouse.alerts.look(watched!, definition, (facts, open) => {
      const verdict = judge(facts, open, definition, redact)
      return { ...verdict, messages: verdict.messages.map((one) => ({ ...one, message: { ...one.message, event: 'test' as const } })) }
    })
    await expect(broken).rejects.toThrow()
    expect(await rows('SELECT * FROM _weir.alerts')).toEqual([])
    expect(await lookAll()).toMatchObject({ opened: 1, due: 1 })
  })

  it('are about runs that have ended, were not cancelled, and are the sync’s own', async () => {
    await define()
    await ran({ people: undefined }, { minutesAgo: 60 })
    await ran({ people: 'auth' }, { status: 'running', minutesAgo: 5 })
    await ran({ people: 'auth' }, { status: 'failed', minutesAgo: 4, kind: 'backfill' })
    await ran({ people: 'auth' }, { status: 'failed', minutesAgo: 3, kind: 'replay' })
    await ran({}, { status: 'cancelled', minutesAgo: 2 })
    expect(await lookAll()).toMatchObject({ syncs: 1, opened: 0 })
    await ran({}, { status: 'failed', minutesAgo: 1 })
    expect(await lookAll()).toMatchObject({ opened: 1 })
    expect(await base.warehouse.alerts.list({ limit: 1 })).toMatchObject([{ stream: '', kind: 'failed' }])
  })

  it('see a sync that is applied and does not run, whoever looks', async () => {
    await define({ freshness: { warnMs: 3_600_000 } })
    await base.warehouse.deployments.put([{ sync: 'shop', definition: 'hash', after: [], schedule: { everyMs: 60_000 }, appliedBy: 'ana' }])
    expect(await lookAll()).toMatchObject({ syncs: 1, opened: 0 })
    await base.db.query(`UPDATE _weir.deployments SET applied_at = now() - interval '2 hours'`)
    expect(await lookAll()).toMatchObject({ opened: 2 })
    await ran({ people: undefined, orders: undefined }, { minutesAgo: 90 })
    expect(await lookAll()).toMatchObject({ resolved: 0 })
    // A watermark that runs which ended early have moved.
    await base.db.query(
      `INSERT INTO _weir.watermarks (sync, stream, pass, watermark) VALUES ('shop', 'people', 'main', now() - interval '5 minutes')`,
    )
    expect(await lookAll()).toMatchObject({ resolved: 1 })
    expect((await base.warehouse.alerts.list({ limit: 5 })).map(({ stream, kind }) => [stream, kind])).toEqual([['orders', 'stale']])
  })

  it('go quietly when nobody looks at the sync any more', async () => {
    await define()
    await ran({ people: 'auth' }, { status: 'failed' })
    await lookAll()
    await base.db.query(`UPDATE _weir.runs SET started_at = now() - interval '8 days'`)
    expect(await lookAll()).toMatchObject({ syncs: 0, resolved: 1 })
    expect(await events()).toEqual(['opened failed'])
    expect(await base.warehouse.alerts.sinceRoundMs()).toBeLessThan(60_000)
  })

  it('tell a schema change once, but not what came with a new table', async () => {
    await define({ alerts: [listening('schema_change')] })
    const run = await ran({ people: undefined })
    const change = (id: string, what: string, field: string | null, status = 'applied') =>
      base.db.query(
        `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, run_id, status) VALUES ('shop', 'people', 's', 't', $2, $3, $1, $4)`,
        [id, what, field, status],
      )
    await change(run, 'table_created', null)
    await change(run, 'column_added', 'first')
    expect(await lookAll()).toMatchObject({ opened: 0 })
    await change('later', 'column_added', 'second')
    await change('later', 'field_new', 'third', 'pending')
    expect(await lookAll()).toMatchObject({ opened: 2 })
    await lookAll()
    expect((await events()).sort()).toEqual(['opened approval', 'opened schema_change'])
    await base.warehouse.changes.decide(
      Number((await rows(`SELECT id FROM _weir.schema_changes WHERE status = 'pending'`))[0]!.id),
      'rejected',
      'ana',
    )
    expect(await lookAll()).toMatchObject({ resolved: 1 })
  })

  it('see letters, checks and waits', async () => {
    await define({ streams: { people: { quality: [{ check: 'not_null', columns: ['email'], severity: 'warn' }] }, orders: {} } })
    const run = await ran({ people: undefined, orders: undefined })
    await base.db.query(
      `INSERT INTO _weir.dead_letters (sync, stream, run_id, kind, reason, message, payload, fingerprint) VALUES ('shop', 'orders', 'r', 'record', 'record', 'm', '{}', 'f1'), ('shop', 'orders', 'r', 'record', 'record', 'm', '{}', 'f2')`,
    )
    await base.db.query(
      `INSERT INTO _weir.quality_results (run_id, sync, stream, ordinal, check_name, parameters, severity, status, sample_keys, message, checked_at)
       VALUES ($1, 'shop', 'people', 0, 'not_null', '{}', 'warn', 'fail', '[]', '3 rows lack email.', now())`,
      [run],
    )
    await base.warehouse.planning.record(
      { sync: 'shop', stream: 'people', run: 'now' },
      { slices: [{ pass: 'main' }], forget: [], watermarks: [], reset: false },
    )
    const [planned] = await base.warehouse.planning.open({ sync: 'shop', stream: 'people', run: 'now' }, 1)
    const { key } = planned!
    const claim = await base.warehouse.slices.claim({
      sync: 'shop',
      stream: 'people',
      run: 'now',
      key,
      owner: 'test',
      attemptAt: new Date(),
    })
    await base.warehouse.slices.release(claim, nothingUsed(), { until: new Date(Date.now() + 3_600_000).toISOString(), for: 'quota' })
    await lookAll()
    const open = await base.warehouse.alerts.list({ limit: 9 })
    expect(Object.fromEntries(open.map(({ stream, kind, message }) => [`${stream} ${kind}`, message]))).toEqual({
      'orders dead_letters': expect.stringMatching(/^2 dead letters are open \(2 record\)/),
      'people quality': '3 rows lack email.',
      'people quota_wait': expect.stringMatching(/60 min\.$/),
    })
    // The wait goes on from when it began, until something is committed, another run takes the slice, or it has been over for a while.
    await base.warehouse.slices.release(claim, nothingUsed(), { until: new Date(Date.now() + 5_400_000).toISOString(), for: 'quota' })
    await lookAll()
    expect((await base.warehouse.alerts.list({ limit: 9 })).find(({ kind }) => kind === 'quota_wait')!.message).toContain('90 min')
    await base.warehouse.slices.claim({ sync: 'shop', stream: 'people', run: 'next', key, owner: 'test', attemptAt: new Date() })
    await base.warehouse.letters.discard({ sync: 'shop' })
    expect(await lookAll()).toMatchObject({ resolved: 2 })
  })

  describe('the outbox', () => {
    const put = (target: string, count = 1) =>
      base.db.query(
        `INSERT INTO _weir.alert_deliveries (target, definition, target_index, sync, kind, event, alerts, message) SELECT $1, 'hash', 0, 'shop', 'failed', 'opened', '{1}', jsonb_build_object('title', n) FROM generate_series(1, $2) n`,
        [target, count],
      )
    const titles = (claimed: readonly { target: string; message: { title: unknown } }[]) =>
      claimed.map(({ target, message }) => `${target}${message.title}`)

    it('gives each message to one of many, of each target in order', async () => {
      await put('a', 2)
      await put('b', 1)
      const { alerts } = base.warehouse
      expect(await alerts.due()).toBe(2)
      const first = (await Promise.all(Array.from({ length: 6 }, () => alerts.claim(8, 60_000)))).flat()
      expect(titles(first).sort()).toEqual(['a1', 'b1'])
      expect(await alerts.claim(8, 60_000)).toEqual([])
      for (const one of first) await alerts.settle(one, { status: 'delivered' })
      expect(titles(await alerts.claim(8, 60_000))).toEqual(['a2'])
    })

    it('holds a target back until its first message is through or given up', async () => {
      await put('a', 2)
      const { alerts } = base.warehouse
      const [one] = await alerts.claim(8, 60_000)
      await alerts.settle(one!, { status: 'pending', afterMs: 3_600_000, error: 'HTTP 500' })
      expect(await alerts.claim(8, 60_000)).toEqual([])
      expect(await alerts.deliveries({ undelivered: true, limit: 9 })).toMatchObject([
        { status: 'pending', attempts: 1, lastError: 'HTTP 500' },
      ])
      await base.db.query(`UPDATE _weir.alert_deliveries SET next_attempt_at = now() WHERE attempts > 0`)
      const [again] = await alerts.claim(8, 60_000)
      expect(again).toMatchObject({ id: one!.id, attempts: 2 })
      await alerts.settle(again!, { status: 'given_up', error: 'HTTP 500' })
      expect(titles(await alerts.claim(8, 60_000))).toEqual(['a2'])
      expect(await alerts.deliveries({ undelivered: true, limit: 9 })).toMatchObject([{ status: 'given_up' }])
    })

    it('gives a message of whoever fell silent to another, and the silent one’s failure changes nothing then', async () => {
      await put('a')
      const { alerts } = base.warehouse
      const [silent] = await alerts.claim(8, 0)
      const [next] = await alerts.claim(8, 60_000)
      expect(next).toMatchObject({ id: silent!.id, attempts: 2 })
      await alerts.settle(silent!, { status: 'given_up', error: 'late' })
      await alerts.settle(next!, { status: 'delivered' })
      expect(await alerts.deliveries({ limit: 9 })).toMatchObject([{ status: 'delivered' }])
    })
  })
})

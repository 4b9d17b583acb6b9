import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { look } from '../../../src/alerts/look.js'
import type { AudienceDefinition } from '../../../src/core/audience.js'
import { fakeAudience } from '../../support/audience.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'
import { listening, webhook } from '../alerts/support.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const redact = (text: string) => text.replaceAll('ana@example.test', '***')

describe.each(servers())('alerts of pushes on PostgreSQL $name', ({ url: server }) => {
  let base: Opened
  let made = 0
  beforeAll(async () => {
    base = await openedDatabase(server)
  })
  afterAll(() => base.close())
  beforeEach(async () => {
    await base.db.query(
      'TRUNCATE _weir.alerts, _weir.alert_deliveries, _weir.audience_runs, _weir.audience_batches, _weir.audience_deployments, _weir.deployments, _weir.runs, _weir.backfills, _weir.definitions CASCADE',
    )
  })

  const define = (more: Partial<AudienceDefinition> = {}) =>
    base.warehouse.definitions.put('hash', fakeAudience({ alerts: [webhook()], ...more }))
  const begun = async () => {
    const run = `push-${++made}`
    await base.warehouse.audiences.begin({ run, audience: 'vip', definition: 'hash', kind: 'scheduled' })
    return run
  }
  const lookAll = () => look({ warehouse: base.warehouse, log: quiet, redact })
  const said = async () =>
    (
      await base.db.query(
        "SELECT event || ' ' || kind AS said, message->>'title' AS title, message->>'command' AS command FROM _weir.alert_deliveries ORDER BY ordinal",
      )
    ).rows
  const open = async () =>
    (await base.warehouse.alerts.list({ limit: 10 })).map(({ sync, stream, kind, severity }) => [sync, stream, kind, severity])

  it('one that failed is told once, and is over when the next one ends well', async () => {
    await define()
    const run = await begun()
    await base.warehouse.audiences.finish(run, 'failed', { reason: 'auth', message: 'The key of ana@example.test is wrong.' })
    expect(await lookAll()).toMatchObject({ opened: 1, resolved: 0, due: 1 })
    expect(await lookAll()).toMatchObject({ opened: 0 })
    expect(await open()).toEqual([['audience/vip', '', 'failed', 'error']])
    expect((await base.warehouse.alerts.list({ limit: 1 }))[0]!.message).toBe('The key of *** is wrong.')
    await base.warehouse.audiences.finish(await begun(), 'cancelled')
    expect(await lookAll()).toMatchObject({ resolved: 0 })
    await base.warehouse.audiences.finish(await begun(), 'completed')
    expect(await lookAll()).toMatchObject({ resolved: 1 })
    expect(await said()).toEqual([
      { said: 'opened failed', title: 'audience vip failed (auth)', command: 'weir check audience/vip' },
      { said: 'resolved failed', title: 'resolved: audience vip failed', command: 'weir check audience/vip' },
    ])
  })

  it('one that waits for a decision, until it is decided or can be no more', async () => {
    await define()
    const run = await begun()
    await base.warehouse.audiences.setStatus(run, 'waiting', { verdict: ['there would lose 45 of 88 people'] })
    expect(await lookAll()).toMatchObject({ opened: 0 })
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    await base.warehouse.audiences.setStatus(run, 'waiting', { expiresAt })
    await look({ warehouse: base.warehouse, log: quiet, redact, audience: 'vip' })
    expect(await open()).toEqual([['audience/vip', '', 'decision', 'warning']])
    const [row] = await base.warehouse.alerts.list({ limit: 1 })
    expect(row!.message).toBe(`It waits for a decision until ${expiresAt}: there would lose 45 of 88 people.`)
    await base.db.query("UPDATE _weir.audience_runs SET expires_at = now() - interval '1 second'")
    expect(await lookAll()).toMatchObject({ resolved: 1 })
  })

  it('one that is held, with what holds it', async () => {
    await define()
    const run = await begun()
    await base.warehouse.audiences.setStatus(run, 'waiting', { verdict: ['sync/crm is old'] })
    await base.warehouse.audiences.finish(run, 'held')
    await lookAll()
    expect(await open()).toEqual([['audience/vip', '', 'held', 'error']])
    expect(await said()).toEqual([{ said: 'opened held', title: 'audience vip is held', command: 'weir audience preview vip' }])
  })

  it('a destination that refuses more than is allowed, each by itself', async () => {
    await define({ maxRejectedPercent: 10 })
    const run = await begun()
    for (const [destination, rejected] of [
      ['there', 11],
      ['other', 10],
    ] as const)
      await base.db.query(
        "INSERT INTO _weir.audience_batches (run_id, destination, action, members, state, rejected) VALUES ($1, $2, 'add', 100, 'done', $3)",
        [run, destination, rejected],
      )
    await base.warehouse.audiences.finish(run, 'completed_with_rejections')
    await lookAll()
    expect(await open()).toEqual([['audience/vip', 'there', 'rejections', 'warning']])
    expect((await said())[0]).toMatchObject({
      title: 'audience/vip/there has members refused',
      command: 'weir audience members vip --state rejected dead',
    })
  })

  it('nobody hears of what is not listened to; what is open is counted by kind', async () => {
    await define({ alerts: [listening('rejections')] })
    await base.warehouse.audiences.finish(await begun(), 'failed', { reason: 'bug', message: 'oh' })
    await lookAll()
    expect(await said()).toEqual([])
    expect(await base.warehouse.alerts.openByKind()).toEqual([{ kind: 'failed', alerts: 1 }])
  })

  it('what is neither in force nor pushed for a week is looked at no more', async () => {
    await define()
    await base.warehouse.audiences.finish(await begun(), 'failed', { reason: 'bug', message: 'oh' })
    await lookAll()
    await base.db.query("UPDATE _weir.audience_runs SET started_at = now() - interval '8 days'")
    expect(await lookAll()).toMatchObject({ resolved: 1 })
    await base.warehouse.audienceDeployments.put([{ audience: 'vip', definition: 'hash', after: [], appliedBy: 'ana' }])
    expect(await lookAll()).toMatchObject({ opened: 1 })
  })

  it('a backfill that failed, until it goes on', async () => {
    const sync = fakeDefinition({ sync: 'shop', streams: { people: {} }, alerts: [listening('failed')] })
    await base.warehouse.definitions.put('sync', sync)
    await base.warehouse.deployments.put([{ sync: 'shop', definition: 'sync', after: [], appliedBy: 'ana' }])
    await base.db.query(
      `INSERT INTO _weir.backfills (id, sync, definition, streams, range_from, range_to, status, created_by, finished_at, failure_reason, failure_message)
       VALUES ('q3', 'shop', 'sync', '{people}', '2026-01-01', '2026-02-01', 'failed', 'ana', now(), 'auth', 'The key is wrong.')`,
    )
    await lookAll()
    expect(await said()).toEqual([
      { said: 'opened backfill', title: 'sync shop has a backfill that failed', command: 'weir backfill list shop' },
    ])
    expect((await base.warehouse.alerts.list({ limit: 1 }))[0]!.message).toBe('Backfill q3: The key is wrong.')
    await base.db.query("UPDATE _weir.backfills SET status = 'running'")
    expect(await lookAll()).toMatchObject({ resolved: 1 })
  })
})

import { kill } from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connector as googleAds } from '../../connectors/google-ads/source.js'
import { connector as hubspot } from '../../connectors/hubspot/source.js'
import { connector as klaviyo } from '../../connectors/klaviyo/source.js'
import type { Rec, Stream } from '../../src/core/types.js'
import { compare } from '../support/compared.js'
import { expectNoAddress } from '../support/stack.js'
import { expectOneAnswer, shownBy } from './week/answers.js'
import { type Message, openStage, type Stage, type Sync, syncs, until } from './week/stage.js'

const streamsOf: Record<Sync, { vendor: Sync; all: Readonly<Record<string, Stream>>; names: string[] }> = {
  klaviyo: { vendor: 'klaviyo', all: klaviyo.source.streams, names: ['profiles', 'events', 'metrics', 'lists', 'list_members'] },
  hubspot: { vendor: 'hubspot', all: hubspot.source.streams, names: ['contacts', 'companies', 'deals', 'owners'] },
  google_ads: { vendor: 'google_ads', all: googleAds.source.streams, names: ['campaigns', 'campaign_daily'] },
}
const named = (messages: readonly Message[]) => messages.flatMap(({ items }) => items.map(({ stream }) => stream)).sort()

/** Each test is a day or two; what one leaves, the next finds. */
describe('a week of an operator', { timeout: 900_000 }, () => {
  let stage: Stage
  let backfill: string
  beforeAll(async () => {
    stage = await openStage()
  }, 180_000)
  afterAll(async () => {
    await stage?.close()
  }, 60_000)

  const waits = (one: { wait?: { for?: string } }) => one.wait?.for === 'vendor'
  const backfilled = () => stage.count(`_weir.backfill_slices WHERE backfill = $1 AND state = 'finished'`, [backfill])

  /** Every table is equal to the truth. */
  async function compareAll(but: Readonly<Record<string, readonly string[]>> = {}): Promise<number> {
    let compared = 0
    for (const sync of syncs) {
      const { vendor, all, names } = streamsOf[sync]
      const streams = Object.fromEntries(names.map((name) => [name, all[name]!]))
      const asked = {
        firstDay: stage.range.from,
        but,
        isRead: ({ datetime }: Rec, stream: string) => stream !== 'events' || new Date(String(datetime)) >= new Date(stage.range.from),
      }
      compared += await compare(stage.db, stage.sandbox, { sync, vendor, streams }, asked)
    }
    return compared
  }

  it('Monday: what is applied runs by its schedules', async () => {
    await stage.weir('apply', '--yes')
    await stage.quicken(5_000)
    await stage.nextRuns()
    await stage.nextDay()
    expect(await stage.count(`_weir.runs WHERE status <> 'completed' AND finished_at IS NOT NULL`)).toBe(0)
  })

  it('Tuesday: HubSpot is down. Its run waits and says so everywhere; people are told once, and when it is over', async () => {
    const outage = stage.sandbox.faults.add({ vendor: 'hubspot', path: '*/search', fault: { kind: 'status', status: 503 }, count: null })
    await until(async () => {
      const [{ streams }] = (await stage.weir('status')).syncs.filter((one: { sync: string }) => one.sync === 'hubspot')
      const { stream } = streams.find(waits)
      expect(await shownBy(stage, `stream/hubspot/${stream}`)).toMatchObject({
        status: 'waiting',
        details: expect.stringContaining('**Waiting** for the vendor, which is down'),
      })
      const { runs } = await stage.page()
      expect(runs.find(({ sync }) => sync === 'hubspot')?.trouble).toMatch(/^Waits for the vendor, which is down/)
      expect(stage.messages('hubspot', 'quota_wait', 'opened')).not.toEqual([])
    })
    stage.sandbox.faults.remove(outage)
    const opened = () => named(stage.messages('hubspot', 'quota_wait', 'opened'))
    await until(async () => expect(named(stage.messages('hubspot', 'quota_wait', 'resolved'))).toEqual(opened()))
    expect(opened()).toEqual([...new Set(opened())])
    await stage.nextDay()
    expect(await stage.count(`_weir.runs WHERE status <> 'completed' AND finished_at IS NOT NULL`)).toBe(0)
  })

  it('Wednesday: a new field waits for a decision, and is approved: its column is filled', async () => {
    stage.sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: 'loyalty_tier', change: 'add', value: 'ruby' })
    await stage.nextDay()
    await until(async () => expect(stage.messages('klaviyo', 'approval', 'opened')).toHaveLength(1))
    const { changes } = await stage.weir('changes', 'list', '--status', 'pending')
    expect(changes).toMatchObject([{ sync: 'klaviyo', stream: 'profiles', field: 'loyalty_tier' }])
    expect((await stage.page()).pending).toMatchObject([{ next: `weir changes approve ${changes[0].id}` }])
    const { approved } = await stage.weir('changes', 'approve', String(changes[0].id))
    expect(approved[0].filled).toBeGreaterThan(0)
    expect(await stage.count(`klaviyo.profiles WHERE loyalty_tier = 'ruby'`)).toBeGreaterThanOrEqual(approved[0].filled)
    expect(await stage.count(`klaviyo.profiles WHERE _weir_extra ? 'loyalty_tier'`)).toBe(0)
    await until(async () => expect(stage.messages('klaviyo', 'approval', 'resolved')).toHaveLength(1))
    expect(stage.messages('klaviyo', 'approval', 'opened')).toHaveLength(1)
  })

  it('Thursday: a backfill of 24 months is paused, and the schedules go on beside it', async () => {
    const { from, to } = stage.range
    const slices = ['--slice', '14d', '--parallel', '2']
    const started = await stage.weir('backfill', 'klaviyo', '--from', from, '--to', to, '--stream', 'events', ...slices, '--detach')
    backfill = started.backfill
    await until(async () => expect(await backfilled()).toBeGreaterThanOrEqual(2))
    await stage.weir('backfill', 'pause', backfill)
    await until(async () =>
      expect(await stage.count(`_weir.backfill_slices WHERE backfill = $1 AND epoch > 0 AND state = 'open'`, [backfill])).toBe(0),
    )
    const before = await backfilled()
    await stage.nextDay()
    expect(await backfilled()).toBe(before)
    const { slices: at, status } = (await stage.weir('backfill', 'show', backfill)).backfill
    expect(at).toMatchObject({ done: before, failed: 0 })
    expect(at.total).toBeGreaterThan(50)
    expect(status).toBe('paused')
    expect((await stage.page()).backfills).toMatchObject([{ id: backfill, status: 'paused', slices: at }])
    expect(await shownBy(stage, `backfill/klaviyo/${backfill}`)).toMatchObject({ status: 'paused' })
  })

  it('Friday: the backfill goes on, and the worker is replaced in the midst of a run, which another one ends', async () => {
    await stage.weir('backfill', 'resume', backfill)
    const slow = stage.sandbox.faults.add({ vendor: 'klaviyo', path: '/api/profiles', fault: { kind: 'slow', ms: 1_500 }, count: null })
    const { worker: old } = stage.stack.info.pids
    const underWay = `SELECT r.run_id, r.workflow_id FROM _weir.runs r JOIN _weir.stream_runs s USING (run_id)
      WHERE r.sync = 'klaviyo' AND r.kind = 'scheduled' AND s.stream = 'profiles' AND s.planned AND s.finished_at IS NULL AND r.finished_at IS NULL`
    const [run] = await until(async () => {
      const found = await stage.query<{ run_id: string; workflow_id: string }>(underWay)
      expect(found).toHaveLength(1)
      return found
    })
    kill(old!, 'SIGTERM')
    await until(async () => expect(stage.stack.info.pids.worker).not.toBe(old))
    stage.sandbox.faults.remove(slow)
    const { worker } = stage.stack.info.pids
    const { events } = await stage.workflow
      .getHandle(run!.workflow_id, run!.run_id)
      .result()
      .then(() => stage.workflow.getHandle(run!.workflow_id, run!.run_id).fetchHistory())
    const workers = new Set(events!.flatMap((event) => event.workflowTaskCompletedEventAttributes?.identity?.split('@')[0] ?? []))
    expect(workers).toEqual(new Set([String(old), String(worker)]))
    await until(async () => expect((await stage.weir('backfill', 'show', backfill)).backfill.status).toBe('completed'))
    await stage.nextDay()
  })

  it('Saturday: a key is revoked, every stream fails again and again; people hear of each once, and once that it is over', async () => {
    const streams = [...streamsOf.klaviyo.names].sort()
    stage.sandbox.klaviyo.access.revoke()
    const failed = `_weir.stream_runs WHERE sync = 'klaviyo' AND status = 'failed' AND finished_at IS NOT NULL`
    await until(async () => expect(await stage.count(failed)).toBeGreaterThanOrEqual(2 * streams.length))
    const told = () => stage.messages('klaviyo', 'failed', 'opened')
    await until(async () => expect(named(told())).toEqual(streams))
    // A run that was under way when the key went may have failed in part.
    expect(told().length).toBeLessThanOrEqual(2)
    const { alerts } = await stage.weir('status')
    expect(alerts.open.map(({ stream }: { stream: string }) => stream).sort()).toEqual(streams)
    const scopes = ['accounts', 'profiles', 'events', 'metrics', 'lists', 'subscriptions'].map((name) => `${name}:read`)
    stage.sandbox.klaviyo.access.grant(scopes)
    await until(async () => expect(named(stage.messages('klaviyo', 'failed', 'resolved'))).toEqual(streams))
    expect(named(told())).toEqual(streams)
    await stage.nextDay()
  })

  it('Sunday: every table is the truth, nothing is open, and whoever is asked says the same', async () => {
    await stage.nextDay()
    await stage.rest()
    // No change signal shows these two: an event moves a profile's last one, and the new field came without an edit.
    expect(await compareAll({ 'klaviyo.profiles': ['last_event_date', 'loyalty_tier'] })).toBeGreaterThan(300)
    await stage.weir('sync', '--full')
    await compareAll()

    const { alerts } = await stage.weir('status')
    expect(alerts).toEqual({ open: [], undelivered: [] })
    const page = await stage.page()
    expect(page).toMatchObject({ pending: [], letters: [], backfills: [{ id: backfill, status: 'completed' }] })
    const left = ['_weir.checkpoints', '_weir.dead_letters', `pg_tables WHERE schemaname = '_weir_stage'`]
    for (const what of left) expect(await stage.count(what), what).toBe(0)
    const failed = await stage.query('SELECT DISTINCT sync FROM _weir.runs WHERE status <> $1', ['completed'])
    expect(failed).toEqual([{ sync: 'klaviyo' }])
    expect(await shownBy(stage, `backfill/klaviyo/${backfill}`)).toMatchObject({ status: 'completed' })
    expect(await expectOneAnswer(stage)).toBe(11)
    await expectNoAddress(stage)
  })
})

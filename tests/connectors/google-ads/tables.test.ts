import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { StreamSettings } from '../../../src/core/definition.js'
import type { Rec, Stream } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { openedDatabase } from '../../support/postgres.js'
import { connect } from '../vendor.js'

/** From the sandbox's accounts through client and engine into PostgreSQL, and compared there with what the sandbox says is true. */
const now = '2026-11-20T12:00:00.000Z'
const { streams } = connector.source
const dayMs = 86_400_000

let sandbox: Sandbox
let warehouse: Warehouse
let db: pg.Client
let close: (() => Promise<void>) | undefined

beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date(now), limits: 'off', adsSince: new Date('2026-11-10') })
  ;({ warehouse, db, close } = await openedDatabase())
})
afterEach(() => {
  sandbox.faults.clear()
  Object.assign(sandbox.google_ads.switches, { chunkRows: 10_000, bulkChanges: 0, streamErrorAfter: null, removedFields: [] })
})
afterAll(async () => {
  await close?.()
  await sandbox?.stop()
})

const settings = () => {
  const { clientId, clientSecret, refreshToken } = sandbox.google_ads.oauth
  return { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken, oauth_base_url: sandbox.url }
}
/** Weir's clock is the machine's in a connector's first day, so that first days are written down here. */
const start = { click_view: '2026-11-10', change_status: '2026-08-23', change_events: '2026-10-22' } as Record<string, string>

function drive(
  name: string,
  run: string,
  more: { given?: Record<string, unknown>; at?: string; stream?: Stream; set?: StreamSettings; schema?: string } = {},
) {
  const { given = {}, at = now, stream = streams[name]!, set = {}, schema = 'google_ads' } = more
  const { http } = connect(connector, { ...settings(), ...given }, { baseUrl: sandbox.url, budget: 'off' })
  const isTimed = stream.passes[0].slicing.by === 'time'
  const definition = fakeDefinition({
    sync: schema,
    schema,
    streams: { [stream.name]: { ...(isTimed ? { start: start[name] ?? '2026-11-10' } : {}), ...set } },
  })
  return { warehouse, stream, http, definition, run, now: at }
}

const truth = (name: string): Rec[] =>
  (sandbox.truth.google_ads as unknown as Record<string, () => Rec[]>)[name]!().map((raw) => streams[name]!.record(raw))
const keyOf = ({ key }: Stream, row: Rec) => key.map((field) => String(row[field])).join(' ')

/** A value as both sides can be compared: numbers by their value, JSON with its members in order. */
const plain = (value: unknown): unknown => {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([member, part]) => [member, plain(part)]),
    )
  return typeof value === 'number' ? String(value) : value
}

async function rows(name: string, schema = 'google_ads'): Promise<Rec[]> {
  const stream = streams[name]!
  // Dates as text: the driver would make local midnights of them.
  const dates = Object.entries(stream.fields).filter(([, { type }]) => type === 'date')
  const { rows: found } = await db.query(
    `SELECT *${dates.map(([field]) => `, ${field}::text AS ${field}`).join('')} FROM ${schema}.${name}`,
  )
  return found as Rec[]
}

async function compare(name: string): Promise<number> {
  const stream = streams[name]!
  const found = new Map((await rows(name)).map((row) => [keyOf(stream, row), row]))
  const expected = truth(name)
  expect(new Set(found.keys())).toEqual(new Set(expected.map((record) => keyOf(stream, record))))
  for (const record of expected) {
    const row = found.get(keyOf(stream, record))!
    for (const field of Object.keys(stream.fields)) expect([field, plain(row[field])]).toEqual([field, plain(record[field])])
  }
  return expected.length
}

describe('what the accounts hold and what the tables hold', () => {
  it.each(Object.keys(streams))('%s is equal, value by value', async (name) => {
    await syncOnce(drive(name, `${name}-1`))
    expect(await compare(name)).toBeGreaterThan(0)
  })

  it('days are restated, rows split and vanish: after a week the tables are equal again', { timeout: 60_000 }, async () => {
    const before = await rows('campaign_daily')
    const mixed = before.filter(({ ad_network_type }) => ad_network_type === 'MIXED')
    expect(mixed.length).toBeGreaterThan(0)
    sandbox.clock.advance(7 * dayMs)
    const reports = ['account_daily', 'campaign_daily', 'ad_daily', 'shopping_daily', 'conversion_action_daily']
    for (const name of reports) {
      await syncOnce(drive(name, `${name}-2`, { at: sandbox.clock.now().toISOString() }))
      expect(await compare(name)).toBeGreaterThan(0)
    }
    const after = new Map((await rows('campaign_daily')).map((row) => [keyOf(streams.campaign_daily!, row), row]))
    expect(mixed.filter((row) => after.has(keyOf(streams.campaign_daily!, row)))).toEqual([])
    const grown = before.filter((row) => Number(after.get(keyOf(streams.campaign_daily!, row))?.conversions) > Number(row.conversions))
    expect(grown.length).toBeGreaterThan(20)
  })

  it('one row in all grains: costs of ads, ad groups, campaigns and accounts are the same to the micro', async () => {
    const cost = async (name: string) =>
      (await db.query(`SELECT sum(cost_micros)::text AS sum FROM google_ads.${name} WHERE date < '2026-11-18'`)).rows[0].sum as string
    await syncOnce(drive('ad_group_daily', 'ad_group_daily-2', { at: sandbox.clock.now().toISOString() }))
    const sums = await Promise.all(['account_daily', 'campaign_daily', 'ad_group_daily', 'ad_daily'].map(cost))
    expect(new Set(sums).size).toBe(1)
    expect(BigInt(sums[0]!)).toBeGreaterThan(1_000_000_000n)
  })

  it('a slice that is cut within its answer goes on, and the table is equal all the same', async () => {
    sandbox.google_ads.switches.chunkRows = 100
    sandbox.faults.add({ vendor: 'google_ads', path: '*searchStream', fault: { kind: 'cut', how: 'chunk' }, skip: 2, count: 2 })
    const input = drive('ad_daily', 'ad_daily-cut', { at: sandbox.clock.now().toISOString(), set: { lookbackMs: 5 * dayMs } })
    const planned = await plan(input)
    let failed = 0
    for (const { key } of planned.slices)
      for (let isDone = false; !isDone; )
        await readSlice(input, key).then(
          ({ more }) => {
            isDone = !more
          },
          (error: { reason?: string }) => {
            expect(error.reason).toBe('transient')
            failed++
          },
        )
    expect(failed).toBeGreaterThan(0)
    await compare('ad_daily')
  })
})

describe('accounts that are closed', () => {
  it('a dead account stops its own slice, and says who must act', async () => {
    const given = { customer_ids: ['1111111111', '3333333333'] }
    const input = drive('campaigns', 'campaigns-dead', { given, schema: 'dead' })
    await syncOnce(input)
    const { rows: letters } = await db.query("SELECT kind, reason, status, message FROM _weir.dead_letters WHERE sync = 'dead'")
    expect(letters).toMatchObject([{ kind: 'slice', reason: 'permission', status: 'open' }])
    expect(letters[0].message).toMatch(/3333333333.*CUSTOMER_NOT_ENABLED.*Its owner must reactivate it/)
    const { rows: held } = await db.query('SELECT DISTINCT customer_id::text FROM dead.campaigns')
    expect(held).toEqual([{ customer_id: '1111111111' }])
  })

  it('a range with more changes than the vendor shows is too large: nothing of it passes for all of it', async () => {
    sandbox.google_ads.switches.bulkChanges = 10_001
    const yesterday = new Date(sandbox.clock.now().getTime() - dayMs).toISOString().slice(0, 10)
    const read = async (to: string) => {
      const { http } = drive('change_status', 'unused')
      const slice = { pass: 'main', parent: '1111111111', from: `${yesterday}T00:00:00.000Z`, to: `${yesterday}T${to}:00:00.000Z` }
      for await (const { records } of streams.change_status!.passes[0].read({ http, slice, fields: {} })) return records.length
    }
    await expect(read('23')).rejects.toMatchObject({ reason: 'too_large' })
    // They were all made at nine: the hours before are shown.
    expect(await read('09')).toBeLessThan(50)
  })
})

describe('a user’s own report', () => {
  it('is typed by the field service and loaded, money exact', async () => {
    const stream = connector.source.custom!('spend', {
      query:
        "SELECT segments.date, campaign.id, campaign.labels, metrics.cost_micros, metrics.ctr FROM campaign WHERE campaign.status != 'REMOVED'",
    })
    await syncOnce(drive('spend', 'spend-1', { stream, schema: 'own', at: sandbox.clock.now().toISOString() }))
    const { rows: types } = await db.query(
      "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'own' AND column_name IN ('date', 'campaign_id', 'campaign_labels', 'cost_micros', 'ctr') ORDER BY 1",
    )
    expect(types.map(({ column_name, data_type }) => `${column_name} ${data_type}`)).toEqual([
      'campaign_id bigint',
      'campaign_labels jsonb',
      'cost_micros bigint',
      'ctr double precision',
      'date date',
    ])
    const { rows: sums } = await db.query("SELECT sum(cost_micros)::text AS own FROM own.spend WHERE date < '2026-11-18'")
    const { rows: all } = await db.query(
      "SELECT sum(cost_micros)::text AS own FROM google_ads.campaign_daily JOIN google_ads.campaigns USING (customer_id) WHERE campaigns.id = campaign_id AND status != 'REMOVED' AND date < '2026-11-18'",
    )
    expect(sums).toEqual(all)
  })
})

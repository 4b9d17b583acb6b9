import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/meta/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Rec, Stream } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { type Drive, plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { openedDatabase } from '../../support/postgres.js'
import { connect } from '../vendor.js'

/** Sandbox and warehouse, with the engine between them: what Meta holds and what the table holds. */
const day = 86_400_000
const first = Date.parse('2026-11-20T12:00:00Z')
let sandbox: Sandbox
let warehouse: Warehouse
let db: pg.Client
let close: (() => Promise<void>) | undefined

beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date(first), limits: 'off', adsSince: new Date('2026-10-10') })
  ;({ warehouse, db, close } = await openedDatabase())
})
afterAll(async () => {
  await close?.()
  await sandbox?.stop()
})

const start = '2026-10-10'
function drive(name: string, run: string, schema = 'meta', more: Partial<Drive> = {}): Drive {
  const stream = connector.source.streams[name]!
  const settings = { access_token: sandbox.meta.token, app_secret: sandbox.meta.app.clientSecret, ad_accounts: sandbox.meta.adAccounts }
  const { http } = connect(connector, settings, { baseUrl: sandbox.url, budget: 'off' })
  const isReport = name.includes('insights')
  const definition = fakeDefinition({ sync: schema, schema, streams: { [name]: isReport ? { start } : {} } })
  return { warehouse, stream, http, definition, run, now: sandbox.clock.now().toISOString(), ...more }
}

/** A value as text that is the same on both sides. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return new Date(value).toISOString()
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return String(Number(value))
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, plain(part)]),
  )
}

const zones: Rec = { EUR: 'Europe/Berlin', USD: 'America/New_York' }

/** Every record of the truth stands in the table, field by field, and nothing else does. */
async function compare(stream: Stream, schema = 'meta', but: readonly string[] = []): Promise<number> {
  const { rows } = await db.query(`SELECT to_jsonb(t) AS row FROM ${schema}.${stream.name} t`)
  const keyOf = (record: Rec) => stream.key.map((field) => String(record[field])).join('/')
  const found = new Map(rows.map(({ row }) => [keyOf(row), row as Rec]))
  const expected = sandbox.truth.meta[stream.name]!().map((raw) => stream.record(raw))
  expect([...found.keys()].sort()).toEqual(expected.map(keyOf).sort())
  const fields = Object.keys(stream.fields).filter((name) => !but.includes(name))
  for (const record of expected) {
    const row = found.get(keyOf(record))!
    const whole = {
      ...record,
      ...(stream.fields.account_timezone_name ? { account_timezone_name: zones[String(record.account_currency)] } : {}),
    }
    const shown = (of: Rec) => JSON.stringify(fields.map((field) => [field, plain(of[field])]))
    // Compared as texts, since there are many; shown field by field where they differ.
    if (shown(row) !== shown(whole)) expect(JSON.parse(shown(row)), `${stream.name} ${keyOf(record)}`).toEqual(JSON.parse(shown(whole)))
  }
  return expected.length
}

const names = Object.keys(connector.source.streams)

describe('what Meta holds and what the warehouse holds', () => {
  it.each(names)('are equal in %s after a first read', { timeout: 60_000 }, async (name) => {
    const input = drive(name, `first-${name}`)
    const receipt = await syncOnce(input)
    expect(receipt.read).toBe(receipt.loaded + receipt.unchanged + receipt.deadLetters)
    expect(receipt.deadLetters).toBe(0)
    expect(await compare(input.stream)).toBeGreaterThan(1)
  })

  it.each(['ad_insights', 'account_insights', 'ad_insights_age_gender'])(
    'are equal again in %s after days were restated, and rows that vanished are gone',
    { timeout: 60_000 },
    async (name) => {
      if (sandbox.clock.now().getTime() < first + 4 * day) sandbox.clock.advance(4 * day)
      const input = drive(name, `restated-${name}`)
      sandbox.clearRequests()
      const receipt = await syncOnce(input)
      expect(receipt.loaded).toBeGreaterThan(0)
      await compare(input.stream)
      // Only what may still change is read again.
      const jobs = sandbox.requests({ vendor: 'meta', method: 'POST' })
      expect(jobs.length).toBe(4)
    },
  )

  it('are equal again in ads but for delivery, which moves no date; a full read brings it', async () => {
    const input = drive('ads', 'later-ads')
    await syncOnce(input)
    await compare(input.stream, 'meta', ['effective_status'])
    const full = drive('ads', 'full-ads')
    await syncOnce({ ...full, full: true })
    await compare(full.stream)
  })
})

describe('a worker that dies between a job’s submission and its rows', () => {
  it('leaves a job that the next one finds: submitted once', async () => {
    const schema = 'killed'
    const input = drive('ad_insights', 'run', schema)
    const planned = await plan(input)
    const { key } = planned.slices[0]!
    sandbox.clearRequests()
    // Its first poll hangs, and with it the process: nothing after the submission is committed by this attempt.
    sandbox.faults.add({ vendor: 'meta', fault: { kind: 'hang' }, query: { fields: pollFields }, count: 1 })
    const dying = readSlice(input, key, 'first')
    dying.catch(() => undefined)
    await expect.poll(() => sandbox.requests({ vendor: 'meta', status: 0 }).length).toBe(1)
    const { rows } = await db.query(`SELECT position FROM _weir.checkpoints WHERE sync = $1 AND slice = $2`, [schema, key])
    expect(rows[0].position.resume.run).toMatch(/^\d+$/)

    const { counts } = await readSlice(drive('ad_insights', 'run', schema), key, 'second')
    expect(counts.loaded).toBeGreaterThan(100)
    expect(sandbox.requests({ vendor: 'meta', method: 'POST' })).toHaveLength(1)
  })
})

const pollFields = 'async_status,async_percent_completion,error_code,error_subcode,error_message,error_user_title,error_user_msg,time_ref'

describe('an ad account that is closed to the token', () => {
  it('fails its own slices and no other, says who must act, and is read whole once it is open', { timeout: 60_000 }, async () => {
    const schema = 'closed'
    const [open, gone] = sandbox.meta.adAccounts.map((id) => id.slice(4)) as [string, string]
    sandbox.meta.switches.goneAccounts = [gone]
    await syncOnce(drive('campaign_insights', 'run-1', schema))
    const { rows: letters } = await db.query('SELECT reason, message FROM _weir.dead_letters WHERE sync = $1', [schema])
    expect(letters).toEqual([{ reason: 'permission', message: expect.stringContaining('Give the token’s user this ad account') }])
    expect(letters[0].message).toContain(gone)
    const { rows } = await db.query(`SELECT DISTINCT account_id FROM ${schema}.campaign_insights`)
    expect(rows).toEqual([{ account_id: open }])

    sandbox.meta.switches.goneAccounts = []
    const again = drive('campaign_insights', 'run-2', schema)
    await syncOnce(again)
    await compare(again.stream, schema)
  })
})

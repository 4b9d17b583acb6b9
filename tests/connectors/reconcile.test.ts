import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connector as hubspot } from '../../connectors/hubspot/source.js'
import { connector as klaviyo } from '../../connectors/klaviyo/source.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { QualityCheck } from '../../src/core/quality.js'
import { checkQuality } from '../../src/engine/check-quality.js'
import type { Connector } from '../../src/extract/connector.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { syncOnce } from '../support/engine.js'
import { fakeDefinition } from '../support/fake-source.js'
import { openedDatabase } from '../support/postgres.js'
import { connect } from './vendor.js'

const now = '2026-11-20T12:00:00.000Z'
const exact: QualityCheck = { check: 'reconcile', total: 'count', tolerancePercent: 0, severity: 'warn' }

describe('what a vendor counts and what the table holds', () => {
  let sandbox: Sandbox
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 300, now: new Date(now), limits: 'off' })
    ;({ warehouse, db, close } = await openedDatabase())
  })
  afterAll(async () => {
    await close?.()
    await sandbox?.stop()
  })

  const drive = (connector: Connector, name: string, run: string, settings: Record<string, unknown>) => {
    const stream = connector.source.streams[name]!
    const { http } = connect(connector, settings, { baseUrl: sandbox.url, budget: 'off' })
    const definition = fakeDefinition({ sync: connector.type, schema: connector.type, streams: { [name]: { quality: [exact] } } })
    return { warehouse, stream, http, definition, run, now }
  }
  const check = (input: ReturnType<typeof drive>) =>
    checkQuality({ ...input, now: new Date(now), signal: new AbortController().signal, redact: String })
  const vendors = (): Record<string, [Connector, Record<string, unknown>]> => ({
    hubspot: [hubspot, { access_token: sandbox.hubspot.token }],
    klaviyo: [klaviyo, { api_key: sandbox.klaviyo.apiKey }],
  })

  it.each([
    ['hubspot', 'contacts', true],
    ['hubspot', 'deals', false],
    ['klaviyo', 'list_members', false],
    ['klaviyo', 'segment_members', false],
  ])('%s/%s agree to the row, deleted ones left out, and a lost row shows', async (vendor, name, hasDeleted) => {
    const [connector, settings] = vendors()[vendor]!
    const first = drive(connector, name, `${name}-1`, settings)
    const { read } = await syncOnce(first)
    expect(await check(first)).toEqual({ failedChecks: [] })
    const [agreed] = await warehouse.quality.results(first.run)
    expect(agreed).toMatchObject({ status: 'pass', observed: 0 })
    expect(agreed!.rows).toBeGreaterThan(10)
    expect(agreed!.rows! < read).toBe(hasDeleted)

    const table = `${vendor}.${name}`
    await db.query(`DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table} WHERE _weir_deleted_at IS NULL)`)
    expect(await check({ ...first, run: `${name}-2` })).toEqual({ failedChecks: ['reconcile'] })
    expect(await warehouse.quality.results(`${name}-2`)).toMatchObject([
      { status: 'fail', rows: agreed!.rows! - 1, message: expect.stringContaining(`the vendor counts ${agreed!.rows}`) },
    ])
  })
})

import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shaped } from '../../../connectors/salesforce/fields.js'
import { streamsOf } from '../../../connectors/salesforce/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Fields, Rec, Stream } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'
import { fieldsOf, open } from './org.js'

/**
 * Every stream through the engine into a table, by REST and by bulk jobs, compared with the org value by value: after a first run,
 * after three days of changes read by their cursor alone, and once more from the start.
 */
const ways = [
  { way: 'REST', from: Number.POSITIVE_INFINITY, ...servers()[0]! },
  { way: 'Bulk', from: 0, ...servers().at(-1)! },
]
const start = '2026-11-20T12:00:00.000Z'
const dayMs = 86_400_000

/** Formulas change without a trace, by the clock alone: they are as old as the record's last edit. */
const formulas = new Set(['Days_as_Customer__c', 'NumberOfLeads', 'NumberOfContacts', 'NumberOfOpportunities', 'AmountWonOpportunities'])

describe.each(ways)('what the org holds and what PostgreSQL $name holds, by $way', ({ way, from, url }) => {
  let sandbox: Sandbox
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let runs = 0
  const streams = streamsOf(from)

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 400, now: new Date(start), limits: 'off' })
    sandbox.salesforce.switches.bulk.pageSize = 90
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
    await sandbox.stop()
  })

  const sync = (stream: Stream, full = false) =>
    syncOnce({
      warehouse,
      stream,
      run: `run-${++runs}`,
      full,
      http: open(sandbox),
      now: new Date(sandbox.clock.now().getTime() + 6 * 60_000).toISOString(),
    })

  /** The record as the table must hold it: of the fields that are asked for, as PostgreSQL's driver reads them. */
  const plain = (value: unknown, type: string | undefined): unknown => {
    if (value === null || value === undefined || value === '') return null
    if (type === 'timestamp') return new Date(value as string).toISOString()
    if (type === 'date') return value instanceof Date ? value.toLocaleDateString('sv') : String(value)
    return type === 'numeric' || type === 'bigint' ? String(Number(value)) : String(value)
  }

  async function compare(name: string, stream: Stream, fields: Fields, but: ReadonlySet<string>): Promise<number> {
    const { rows: versions } = await db.query(
      'SELECT columns FROM _weir.schema_versions WHERE table_schema = $1 AND table_name = $2 ORDER BY version DESC LIMIT 1',
      ['fake', name],
    )
    const columns = versions[0].columns as { field: string; variant?: string; name: string; type: string }[]
    const { rows } = await db.query(`SELECT * FROM fake.${name}`)
    const found = new Map(rows.map((row) => [row.id as string, row]))
    const shape = shaped(fields)
    const expected = (sandbox.truth.salesforce as unknown as Record<string, () => Rec[]>)[name]!().map((raw) => stream.record(shape(raw)))
    // What has left the bin since it was read stays, with its mark.
    const gone = [...found.keys()].filter((id) => !expected.some(({ Id }) => Id === id))
    for (const id of gone) expect(found.get(id)._weir_deleted_at, `${name} ${id}`).not.toBeNull()
    for (const record of expected) {
      const row = found.get(String(record.Id))
      expect(row, `${name} ${record.Id}`).toBeDefined()
      for (const { field, variant, name: column, type } of columns) {
        if (variant !== undefined || but.has(field) || !(field in fields)) continue
        expect(plain(row[column], type), `${name} ${record.Id} ${field}`).toBe(plain(record[field], type))
      }
      if (stream.deletedAt) expect(row._weir_deleted_at !== null, `${name} ${record.Id}`).toBe(record.IsDeleted)
    }
    return expected.length
  }

  const compareAll = async (but: ReadonlySet<string>) => {
    let compared = 0
    for (const [name, stream] of Object.entries(streams))
      compared += await compare(name, stream, await fieldsOf(open(sandbox), stream), but)
    return compared
  }

  it('are equal after a first read, with the way of reading that was chosen', { timeout: 60_000 }, async () => {
    sandbox.clearRequests()
    for (const stream of Object.values(streams)) {
      const run = await sync(stream)
      expect(run).toMatchObject({ status: 'completed', deadLetters: 0 })
      expect(run.read).toBe(run.loaded + run.unchanged)
    }
    const jobs = sandbox.requests({ vendor: 'salesforce', method: 'POST', path: '*/jobs/query' })
    if (way === 'Bulk') expect(jobs.length).toBeGreaterThanOrEqual(Object.keys(streams).length)
    else expect(jobs).toEqual([])
    // Every job that was read has been taken away.
    expect(sandbox.salesforce.jobs.standing).toEqual([])
    expect(await compareAll(new Set())).toBeGreaterThan(1_000)
  })

  it('are equal after three days of changes, deletions for good among them', { timeout: 60_000 }, async () => {
    await db.query(`UPDATE _weir.watermarks SET watermark = '${start}'`)
    sandbox.clock.advance(dayMs)
    sandbox.company.eraseMany(12)
    sandbox.clock.advance(2 * dayMs)
    let loaded = 0
    for (const stream of Object.values(streams)) {
      const run = await sync(stream)
      expect(run).toMatchObject({ status: 'completed', deadLetters: 0 })
      loaded += run.loaded
    }
    expect(loaded).toBeGreaterThan(20)
    await compareAll(formulas)
    const { rows } = await db.query('SELECT count(*)::int AS n FROM fake.leads WHERE _weir_deleted_at IS NOT NULL AND last_name IS NULL')
    // Of what is gone for good only the id is known.
    expect(rows[0].n).toBeGreaterThan(0)
  })

  it('are equal after a full read, and the next one changes nothing', { timeout: 60_000 }, async () => {
    for (const stream of Object.values(streams)) await sync(stream, true)
    await compareAll(new Set())
    for (const stream of Object.values(streams)) expect(await sync(stream, true)).toMatchObject({ loaded: 0, deadLetters: 0 })
  })

  it('a slice whose job takes too long is halved until it does not', { timeout: 60_000 }, async ({ skip }) => {
    skip(way === 'REST', 'no job is made')
    const { bulk } = sandbox.salesforce.switches
    bulk.slowAbove = 25
    sandbox.clearRequests()
    const name = 'contacts_halved'
    const run = await sync({ ...streams.contacts!, name })
    bulk.slowAbove = Number.POSITIVE_INFINITY
    expect(run).toMatchObject({ status: 'completed', deadLetters: 0 })
    const { rows } = await db.query(`SELECT count(*)::int AS n FROM fake.${name}`)
    expect(rows[0].n).toBe(sandbox.truth.salesforce.contacts().length)
    expect(sandbox.requests({ vendor: 'salesforce', method: 'POST', path: '*/jobs/query' }).length).toBeGreaterThan(6)
  })

  it('an object that the user names is a stream like the others, however wide', async () => {
    for (const [name, object] of [
      ['shipments', 'Shipment__c'],
      ['surveys', 'Survey__c'],
    ] as const) {
      const stream = (await import('../../../connectors/salesforce/source.js')).connector.source.custom!(name, { object })
      const run = await syncOnce({
        warehouse,
        stream,
        run: `run-${++runs}`,
        http: open(sandbox),
        now: new Date(sandbox.clock.now().getTime() + 6 * 60_000).toISOString(),
        definition: fakeDefinition(),
      })
      expect(run).toMatchObject({ status: 'completed', deadLetters: 0 })
      expect(run.loaded).toBe(sandbox.truth.salesforce.object(object).length)
      expect(run.loaded).toBeGreaterThan(30)
    }
  })
})

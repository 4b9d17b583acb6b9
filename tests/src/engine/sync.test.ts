import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import { balances } from '../../../src/core/receipt.js'
import type { Rec } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const person = (id: number, updated = '2026-01-01T00:00:00Z', more: Rec = {}): Rec => ({
  id: String(id),
  name: `name ${id}`,
  updated,
  ...more,
})
const pagesOf = (records: Rec[], size = 10): Rec[][] =>
  Array.from({ length: Math.ceil(records.length / size) }, (_, i) => records.slice(i * size, i * size + size))

describe.each(servers())('the engine on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let runs = 0
  const nextRun = () => `run-${++runs}`
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await db.query(sql)).rows
  /** A stream of its own for each test, so that tests do not share tables. */
  let streams = 0
  const nextName = () => `s${++streams}`

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  it('loads every record once, and a second run changes nothing', async () => {
    const name = nextName()
    const stream = fakeStream({
      name,
      pages: () => pagesOf(Array.from({ length: 95 }, (_, i) => person(i))),
      slicing: { by: 'time', lookbackMs: 365 * 86_400_000, lagMs: 0, first: 'whole' },
    })
    const first = await syncOnce({ warehouse, stream, run: nextRun() })
    expect(first).toMatchObject({ status: 'completed', read: 95, loaded: 95, unchanged: 0, deadLetters: 0 })
    const second = await syncOnce({ warehouse, stream, run: nextRun(), now: '2026-06-02T00:00:00.000Z' })
    expect(second).toMatchObject({ status: 'completed', read: 95, loaded: 0, unchanged: 95, deadLetters: 0 })
    expect(await rows(`SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM fake.${name}`)).toEqual([{ n: 95, ids: 95 }])
  })

  it('lets a newer version win and an older one go, within a batch and across runs', async () => {
    const name = nextName()
    let records: Rec[] = [
      person(1, '2026-01-02T00:00:00Z', { name: 'newer' }),
      person(1, '2026-01-01T00:00:00Z', { name: 'older' }),
      person(2),
    ]
    const stream = fakeStream({ name, pages: () => [records] })
    const run = { warehouse, stream, full: true }
    expect(await syncOnce({ ...run, run: nextRun() })).toMatchObject({ read: 3, loaded: 2, unchanged: 1 })
    expect(await rows(`SELECT name FROM fake.${name} WHERE id = '1'`)).toEqual([{ name: 'newer' }])
    records = [
      person(1, '2026-01-01T12:00:00Z', { name: 'late and old' }),
      person(2, '2026-01-01T00:00:00Z', { name: 'equal and different' }),
    ]
    expect(await syncOnce({ ...run, run: nextRun() })).toMatchObject({ read: 2, loaded: 1, unchanged: 1 })
    expect(await rows(`SELECT name FROM fake.${name} ORDER BY id`)).toEqual([{ name: 'newer' }, { name: 'equal and different' }])
  })

  it('moves the watermark to where the slices reach, though one that begins later ends earlier', async () => {
    const name = nextName()
    const stream = fakeStream({
      name,
      pages: () => [[person(1, '2026-01-02T00:00:00Z')]],
      slicing: {
        by: 'time',
        days: 2,
        lookbackMs: 3.5 * 86_400_000,
        lagMs: 0,
        first: 'whole',
        earliest: async () => '2026-01-01T00:00:00Z',
      },
    })
    const failed = { warehouse, stream, run: nextRun(), now: '2026-01-06T00:00:00.000Z' }
    await plan(failed)
    await finishStream({ ...failed, definition: fakeDefinition(), failure: { reason: 'transient', message: 'cut off' } })
    // From 2 January 12:00 by two days: the last new slice begins on the 4th, the last one of the failed run on the 5th.
    const now = '2026-01-06T12:00:00.000Z'
    expect(await syncOnce({ warehouse, stream, run: nextRun(), now })).toMatchObject({ status: 'completed', read: 1 })
    expect((await warehouse.state.read({ sync: 'fake', stream: name })).watermarks).toMatchObject([{ watermark: now }])
    expect(await rows(`SELECT slice FROM _weir.checkpoints WHERE stream = '${name}'`)).toEqual([])
  })

  it('resumes after a failure at any page, with every record once and counts that add up', async () => {
    const name = nextName()
    const records = Array.from({ length: 100 }, (_, i) => person(i))
    let failAt = 3
    const stream = fakeStream({
      name,
      pages: () => pagesOf(records),
      before: (page) => {
        if (page === failAt) throw new Failure('transient', 'cut off')
      },
    })
    const drive = { warehouse, stream, run: nextRun(), limits: { batchBytes: 200 } }
    const { slices } = await plan(drive)
    const key = slices[0]!.key
    for (const next of [3, 7, 9]) {
      failAt = next
      await expect(readSlice(drive, key)).rejects.toThrow('cut off')
    }
    failAt = -1
    expect((await readSlice(drive, key)).counts).toMatchObject({ read: 100, loaded: 100 })
    expect(await finishStream({ warehouse, definition: fakeDefinition(), stream, run: drive.run })).toMatchObject({
      status: 'completed',
      read: 100,
      loaded: 100,
    })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 100 }])
  })

  it('refuses the commit of an attempt that a newer one has overtaken', async () => {
    const name = nextName()
    const records = Array.from({ length: 40 }, (_, i) => person(i))
    let release: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let paused = false
    const stream = fakeStream({
      name,
      pages: () => pagesOf(records),
      before: async (page) => {
        if (page !== 2 || paused) return
        paused = true
        await gate
      },
    })
    const drive = { warehouse, stream, run: nextRun(), limits: { batchBytes: 1 } }
    const { slices } = await plan(drive)
    const key = slices[0]!.key
    const zombie = readSlice(drive, key, 'zombie')
    while (!paused) await new Promise((resolve) => setImmediate(resolve))
    expect((await readSlice(drive, key, 'heir')).counts).toMatchObject({ read: 40, loaded: 40 })
    release()
    await expect(zombie).rejects.toMatchObject({ reason: 'fenced' })
    expect(await finishStream({ warehouse, definition: fakeDefinition(), stream, run: drive.run })).toMatchObject({ read: 40, loaded: 40 })
  })

  it('gives up a slice that makes no progress, saying what happened last', async () => {
    const stream = fakeStream({
      name: nextName(),
      pages: () => [[]],
      before: () => {
        throw new Failure('transient', 'the vendor is down')
      },
    })
    const drive = { warehouse, stream, run: nextRun(), limits: { idleClaims: 2 } }
    const { slices } = await plan(drive)
    for (let i = 0; i < 2; i++) await expect(readSlice(drive, slices[0]!.key)).rejects.toMatchObject({ isFinal: false })
    await expect(readSlice(drive, slices[0]!.key)).rejects.toMatchObject({
      isFinal: true,
      message: expect.stringContaining('the vendor is down'),
    })
    const next = { ...drive, run: nextRun() }
    await expect(readSlice(next, slices[0]!.key)).rejects.toMatchObject({ isFinal: false })
  })

  it('adds columns for new fields and variants for values of another type, in the middle of a page', async () => {
    const name = nextName()
    const records = [
      person(1),
      person(2, undefined, { age: 41 }),
      person(3, undefined, { age: 'unknown', city: 'Lyon' }),
      person(4, undefined, { age: { from: 20 } }),
      person(5, 'not a date'),
    ]
    const stream = fakeStream({ name, pages: () => [records.slice(0, 1), records.slice(1)] })
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 5, loaded: 5, deadLetters: 0 })
    expect(await rows(`SELECT id, age::int, age__text, age__json, city, updated__text FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '1', age: null, age__text: null, age__json: null, city: null, updated__text: null },
      { id: '2', age: 41, age__text: null, age__json: null, city: null, updated__text: null },
      { id: '3', age: null, age__text: 'unknown', age__json: null, city: 'Lyon', updated__text: null },
      { id: '4', age: null, age__text: null, age__json: { from: 20 }, city: null, updated__text: null },
      { id: '5', age: null, age__text: null, age__json: null, city: null, updated__text: 'not a date' },
    ])
    expect(
      await rows(
        `SELECT field, variant, type FROM _weir.schema_changes WHERE table_name = '${name}' AND change = 'column_added' ORDER BY field, variant`,
      ),
    ).toEqual([
      { field: 'age', variant: 'json', type: 'json' },
      { field: 'age', variant: 'text', type: 'text' },
      { field: 'age', variant: null, type: 'numeric' },
      { field: 'city', variant: null, type: 'text' },
      { field: 'updated', variant: 'text', type: 'text' },
    ])
  })

  it('sets aside what cannot be stored, whole, once for one cause, and loads the rest', async () => {
    const name = nextName()
    const records = [
      person(1),
      person(2, undefined, { name: 'nul \u0000 here' }),
      { name: 'no key' },
      person(3, undefined, { name: 'half \ud800' }),
    ]
    const stream = fakeStream({ name, pages: () => [records] })
    const result = await syncOnce({ warehouse, stream, run: nextRun() })
    expect(result).toMatchObject({ status: 'completed_with_dead_letters', read: 4, loaded: 1, unchanged: 0, deadLetters: 3 })
    expect(balances(result)).toBe(true)
    await syncOnce({ warehouse, stream, run: nextRun(), full: true })
    const letters = await rows(
      `SELECT record_key, message, attempts, payload::text FROM _weir.dead_letters WHERE stream = '${name}' ORDER BY id`,
    )
    expect(letters).toHaveLength(3)
    expect(letters[0]).toMatchObject({ record_key: '2', attempts: 2, message: expect.stringContaining('NUL') })
    expect(JSON.parse(String(letters[0]!.payload))).toEqual(records[1])
    expect(letters[1]).toMatchObject({ record_key: null, message: expect.stringContaining('"id"') })
  })

  it('finds the one row that PostgreSQL refuses and loads its neighbours', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [Array.from({ length: 33 }, (_, i) => person(i))] })
    await syncOnce({ warehouse, stream, run: nextRun() })
    await db.query(`ALTER TABLE fake.${name} ADD CONSTRAINT grown_up CHECK (name <> 'refused')`)
    const changed = fakeStream({
      name,
      pages: () => [Array.from({ length: 33 }, (_, i) => person(i, '2026-02-01T00:00:00Z', { name: i === 17 ? 'refused' : `new ${i}` }))],
    })
    expect(await syncOnce({ warehouse, stream: changed, run: nextRun(), full: true })).toMatchObject({
      read: 33,
      loaded: 32,
      deadLetters: 1,
    })
    expect(await rows(`SELECT record_key FROM _weir.dead_letters WHERE stream = '${name}'`)).toEqual([{ record_key: '17' }])
  })

  it('keeps every version in append mode, and the same version once', async () => {
    const name = nextName()
    let records = [person(1), person(1), person(2)]
    const stream = fakeStream({ name, mode: 'append', pages: () => [records] })
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 3, loaded: 2, unchanged: 1 })
    records = [person(1, undefined, { name: 'changed' }), person(2), person(3, undefined, { extra: 'column' })]
    expect(await syncOnce({ warehouse, stream, run: nextRun(), full: true })).toMatchObject({ read: 3, loaded: 2, unchanged: 1 })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 4 }])
  })

  it('makes a replaced table equal to the snapshot at the end, under a view that holds', async () => {
    const name = nextName()
    let records = Array.from({ length: 25 }, (_, i) => person(i))
    const stream = fakeStream({ name, mode: 'replace', slicing: { by: 'all' }, pages: () => pagesOf(records) })
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 25, loaded: 25, deleted: 0 })
    await db.query(`CREATE VIEW fake.${name}_view AS SELECT id, name FROM fake.${name}`)
    records = [...records.slice(5), person(3, '2026-01-05T00:00:00Z', { name: 'back' }), person(99)]
    const drive = { warehouse, stream, run: nextRun(), limits: { batchBytes: 1 } }
    const { slices } = await plan(drive)
    await readSlice(drive, slices[0]!.key)
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}_view`)).toEqual([{ n: 25 }])
    expect(await finishStream({ warehouse, definition: fakeDefinition(), stream, run: drive.run })).toMatchObject({
      read: 22,
      loaded: 2,
      unchanged: 20,
      deleted: 4,
    })
    expect(await rows(`SELECT count(*)::int AS n, max(name) FILTER (WHERE id = '3') AS three FROM fake.${name}_view`)).toEqual([
      { n: 22, three: 'back' },
    ])
    expect(await rows(`SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = '_weir_stage'`)).toEqual([{ n: 0 }])
  })

  it('leaves the old table alone when a snapshot does not come to its end', async () => {
    const name = nextName()
    let broken = false
    const stream = fakeStream({
      name,
      mode: 'replace',
      slicing: { by: 'all' },
      pages: () => pagesOf(Array.from({ length: 20 }, (_, i) => person(i))),
      before: (page) => {
        if (broken && page === 1) throw new Failure('permission', 'no longer allowed')
      },
    })
    await syncOnce({ warehouse, stream, run: nextRun() })
    broken = true
    const drive = { warehouse, stream, run: nextRun() }
    const { slices } = await plan(drive)
    await expect(readSlice(drive, slices[0]!.key)).rejects.toThrow('no longer allowed')
    const failure = { reason: 'permission', message: 'no longer allowed' }
    expect(await finishStream({ warehouse, definition: fakeDefinition(), stream, run: drive.run, failure })).toMatchObject({
      status: 'failed',
      loaded: 0,
      failure,
    })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 20 }])
  })

  it('marks deletions, and only a newer version brings the row back', async () => {
    const name = nextName()
    const fields = { id: { type: 'text' }, updated: { type: 'timestamp' }, archivedAt: { type: 'timestamp' } } as const
    let records: Rec[] = [{ id: '1', updated: '2026-01-01T00:00:00Z' }]
    const stream = fakeStream({ name, fields, deletedAt: 'archivedAt', pages: () => [records] })
    const deleted = () => rows(`SELECT _weir_deleted_at IS NOT NULL AS gone FROM fake.${name}`)
    await syncOnce({ warehouse, stream, run: nextRun() })
    records = [{ id: '1', updated: '2026-01-01T00:00:00Z', archivedAt: '2026-02-01T00:00:00Z' }]
    expect(await syncOnce({ warehouse, stream, run: nextRun(), full: true })).toMatchObject({ loaded: 1 })
    expect(await deleted()).toEqual([{ gone: true }])
    records = [{ id: '1', updated: '2026-01-15T00:00:00Z' }]
    expect(await syncOnce({ warehouse, stream, run: nextRun(), full: true })).toMatchObject({ loaded: 0, unchanged: 1 })
    records = [{ id: '1', updated: '2026-03-01T00:00:00Z' }]
    expect(await syncOnce({ warehouse, stream, run: nextRun(), full: true })).toMatchObject({ loaded: 1 })
    expect(await deleted()).toEqual([{ gone: false }])
  })

  it('stops a stream that makes more dead letters than allowed, and keeps what was good', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[person(1), { name: 'a' }, { name: 'b' }]] })
    const definition = fakeDefinition({ deadLetters: { maxRows: 1, maxPercent: 100 } })
    const drive = { warehouse, stream, run: nextRun(), definition }
    const { slices } = await plan(drive)
    await expect(readSlice(drive, slices[0]!.key)).rejects.toMatchObject({ reason: 'threshold', isFinal: true })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 1 }])
  })

  it('refuses a table that is not Weir’s', async () => {
    const name = nextName()
    await db.query(`CREATE TABLE fake.${name} (id text)`)
    const stream = fakeStream({ name, pages: () => [[person(1)]] })
    await expect(syncOnce({ warehouse, stream, run: nextRun() })).rejects.toThrow(/is not Weir's/)
  })

  it('leaves out the pass that looks for deletions where the user says so', async () => {
    const name = nextName()
    const whole = fakeStream({ name, slicing: { by: 'all' }, pages: () => [[person(1)]] })
    const gone = fakeStream({ name, slicing: { by: 'all' }, pages: () => [[person(2)]] }).passes[0]
    const stream = { ...whole, passes: [whole.passes[0], { ...gone, name: 'gone', seesDeletions: true }] } as const
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 2 })
    const definition = fakeDefinition({ streams: { [name]: { deletions: 'off' } } })
    expect(await syncOnce({ warehouse, stream, run: nextRun(), definition })).toMatchObject({ read: 1 })
  })

  it('hands a slice back when the quota is spent for long, with what was read committed', async () => {
    const name = nextName()
    let spent = true
    const stream = fakeStream({
      name,
      pages: () => pagesOf(Array.from({ length: 20 }, (_, i) => person(i))),
      before: (page) => {
        if (spent && page === 1) throw new Failure('throttled', 'day quota', { waitUntil: '2026-06-02T00:00:00Z' })
      },
    })
    const drive = { warehouse, stream, run: nextRun() }
    const { slices } = await plan(drive)
    expect(await readSlice(drive, slices[0]!.key)).toMatchObject({
      more: true,
      waitUntil: '2026-06-02T00:00:00Z',
      counts: { read: 10, loaded: 10 },
    })
    spent = false
    expect((await readSlice(drive, slices[0]!.key)).counts).toMatchObject({ read: 20, loaded: 20 })
  })
})

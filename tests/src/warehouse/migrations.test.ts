import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Rec } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import { migrate, newestVersion } from '../../../src/warehouse/postgres/migrate.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'

const person = (id: number, month: number) => ({ id: String(id), name: `name ${id}`, updated: `2026-0${month}-02T00:00:00.000Z` })
const early = [[person(1, 1), person(2, 2), { id: null, name: 'nobody', updated: '2026-02-01T00:00:00.000Z' }]]
const late = [[person(3, 5)], [person(2, 5), person(4, 5)]]
const definition = fakeDefinition()

/** What the vendor holds; a stream that breaks off gives its first page only. */
const streamOf = (pages: readonly Rec[][], breaksOff = false) =>
  fakeStream({
    pages: () => pages,
    before: (page) => {
      if (breaksOff && page > 0) throw new Failure('transient', 'the vendor is down')
    },
  })

/** A life: a run that completed with a dead letter, and one that broke off in the middle of a slice. */
async function live({ warehouse }: Opened): Promise<void> {
  await warehouse.definitions.put('hash', definition)
  const first = { warehouse, stream: streamOf(early), run: 'run-1', now: '2026-03-01T00:00:00.000Z' }
  await warehouse.runs.start({ run: 'run-1', sync: definition.sync, definition: 'hash', kind: 'manual' })
  expect((await syncOnce(first)).status).toBe('completed_with_dead_letters')
  const broken = { warehouse, stream: streamOf(late, true), run: 'run-2', now: '2026-06-01T00:00:00.000Z' }
  const { slices } = await plan(broken)
  await expect(readSlice({ ...broken, limits: { batchBytes: 1 } }, slices[0]!.key)).rejects.toThrow('the vendor is down')
  await finishStream({ warehouse, definition, stream: broken.stream, run: 'run-2', failure: { reason: 'transient', message: 'down' } })
}

const tablesOf = async (db: pg.ClientBase) => {
  const { rows } = await db.query<{ name: string; columns: string[] }>(
    `SELECT table_name AS name, array_agg(column_name::text) AS columns
       FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_schema = '_weir' AND table_type = 'BASE TABLE' AND table_name NOT IN ('migrations', 'failure_reasons') GROUP BY table_name`,
  )
  return rows
}

/** What counts goes on after the rows that were put in; epochs were counted a slice before they had a sequence. */
async function goOnCounting(db: pg.ClientBase): Promise<void> {
  const { rows } = await db.query<{ name: string; column: string }>(
    `SELECT table_name AS name, column_name AS column FROM information_schema.columns WHERE table_schema = '_weir' AND is_identity = 'YES'`,
  )
  for (const { name, column } of rows)
    await db.query(
      `SELECT setval(pg_get_serial_sequence('_weir.${name}', '${column}'), (SELECT coalesce(max("${column}"), 0) + 1 FROM _weir."${name}"))`,
    )
  const { rows: epochs } = await db.query("SELECT to_regclass('_weir.epochs') IS NOT NULL AS there")
  await db.query(
    epochs[0].there
      ? "SELECT setval('_weir.epochs', (SELECT max(epoch) FROM _weir.checkpoints))"
      : 'UPDATE _weir.checkpoints SET epoch = 1',
  )
}

describe.each(servers())('the tables of an earlier version on PostgreSQL $name', ({ url: server }) => {
  let donor: Opened
  beforeAll(async () => {
    donor = await openedDatabase(server)
    await live(donor)
  })
  afterAll(() => donor?.close())

  /** The database of the same life as version `version` would have left it: its tables, and in them what it knew to write. */
  async function asOf(version: number): Promise<Opened> {
    const made = await openedDatabase(server)
    const { db } = made
    await db.query('DROP SCHEMA _weir CASCADE; DROP SCHEMA _weir_stage CASCADE')
    const pool = new pg.Pool({ connectionString: made.url })
    await migrate(pool, version)
    await pool.end()
    const { rows: shape } = await donor.db.query<{ sql: string }>(
      `SELECT 'CREATE SCHEMA fake; CREATE TABLE fake.people (' || string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
         || ', PRIMARY KEY (id))' AS sql FROM pg_attribute WHERE attrelid = 'fake.people'::regclass AND attnum > 0`,
    )
    await db.query(shape[0]!.sql)
    const copy = async (table: string, columns: readonly string[], overriding = '') => {
      const list = columns.map((column) => `"${column}"`).join(', ')
      const { rows } = await donor.db.query<{ rows: string | null }>(
        `SELECT json_agg(t)::text AS rows FROM (SELECT ${list} FROM ${table}) t`,
      )
      if (rows[0]!.rows)
        await db.query(`INSERT INTO ${table} (${list}) ${overriding} SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1)`, [
          rows[0]!.rows,
        ])
    }
    const { rows: people } = await donor.db.query(
      "SELECT attname FROM pg_attribute WHERE attrelid = 'fake.people'::regclass AND attnum > 0",
    )
    await copy(
      'fake.people',
      people.map(({ attname }) => attname),
    )
    const newest = new Map((await tablesOf(donor.db)).map((table) => [table.name, table.columns]))
    for (const { name, columns } of await tablesOf(db)) {
      const kept = columns.filter((column) => newest.get(name)?.includes(column))
      // What a migration puts in itself stands among the donor's rows.
      await db.query(`DELETE FROM _weir."${name}"`)
      await copy(`_weir."${name}"`, kept, 'OVERRIDING SYSTEM VALUE')
    }
    await goOnCounting(db)
    return made
  }

  it.each(Array.from({ length: newestVersion - 1 }, (_, i) => i + 1))(
    'of version %i: what it left is taken up, and nothing is read twice or lost',
    async (version) => {
      const { warehouse, db, close } = await asOf(version)
      try {
        await warehouse.migrate()
        const row = await syncOnce({ warehouse, stream: streamOf(late), run: 'run-3', now: '2026-06-02T00:00:00.000Z' })
        expect(row).toMatchObject({ status: 'completed', deadLetters: 0 })
        expect(row.read).toBe(row.loaded + row.unchanged)
        const { rows } = await db.query("SELECT id, to_char(updated, 'MM') AS month FROM fake.people ORDER BY id")
        expect(rows).toEqual([
          { id: '1', month: '01' },
          { id: '2', month: '05' },
          { id: '3', month: '05' },
          { id: '4', month: '05' },
        ])
        expect(await warehouse.letters.list({ sync: definition.sync, status: 'open' }, 10)).toHaveLength(1)
        const { rows: watermarks } = await db.query('SELECT watermark FROM _weir.watermarks')
        expect(watermarks).toEqual([{ watermark: new Date('2026-06-02T00:00:00.000Z') }])
      } finally {
        await close()
      }
    },
  )

  it('is brought up to date once, however many begin at once', async () => {
    const made = await asOf(3)
    const workers = Array.from({ length: 8 }, () => createWarehouse(made.url))
    try {
      await Promise.all(workers.map((one) => one.migrate()))
      const { rows } = await made.db.query<{ version: number }>('SELECT version FROM _weir.migrations ORDER BY version')
      expect(rows.map(({ version }) => version)).toEqual(Array.from({ length: newestVersion }, (_, i) => i + 1))
    } finally {
      await Promise.all(workers.map((one) => one.close()))
      await made.close()
    }
  })

  it('that is newer than the code is left alone', async () => {
    const { warehouse, db, close } = await openedDatabase(server)
    try {
      await db.query('INSERT INTO _weir.migrations (version) VALUES ($1)', [newestVersion + 1])
      await expect(warehouse.migrate()).rejects.toThrow(/prepared by a newer Weir/)
    } finally {
      await close()
    }
  })
})

import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SchemaPolicy } from '../../../src/core/definition.js'
import type { Rec, SyncMode } from '../../../src/core/types.js'
import { applyChange } from '../../../src/engine/apply-change.js'
import type { Column } from '../../../src/schema/encode.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { sql as attemptsAndVariants } from '../../../src/warehouse/postgres/migrations/0015-attempts-and-variants.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const updated = '2026-01-01T00:00:00Z'
/** One field by two types, and fields that are named as its variants are. */
const records: readonly Rec[] = [
  { id: '1', updated, a: 1 },
  { id: '2', updated, a: { x: 1 } },
  { id: '3', updated, a__json: { y: 2 } },
  { id: '4', updated, a__json: 'text' },
  { id: '5', updated, a__json__text: 'deep', a: 'word', a__text: 'own' },
  { id: '6', updated, a: [3], a__json: [4], a__text: { z: 6 } },
]
const orders = { 'as they are': records, 'the other way round': records.toReversed() }

describe.each(servers())('a field that is named like the variant of another, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  const streamOf = (name: string, mode: SyncMode, pages: () => readonly (readonly Rec[])[]) => fakeStream({ name, mode, pages })
  const definitionOf = (name: string, policy: SchemaPolicy) => fakeDefinition({ streams: { [name]: { onSchemaChange: policy } } })

  const columnsOf = async (name: string): Promise<Column[]> => {
    const sql = 'SELECT columns FROM _weir.schema_versions WHERE table_name = $1 ORDER BY version DESC LIMIT 1'
    return (await db.query(sql, [name])).rows[0].columns
  }

  /** The records as the table gives them back, by what the newest schema version says of its columns; and how many columns say it. */
  async function readBack(name: string): Promise<{ found: Rec[]; inExtra: number }> {
    const columns = await columnsOf(name)
    let inExtra = 0
    const { rows } = await db.query(`SELECT * FROM fake.${name} ORDER BY id`)
    const found = rows.map((row) => {
      inExtra += Object.keys(row._weir_extra ?? {}).length
      const record: Rec = { ...row._weir_extra }
      for (const { field, name: column, type } of columns) {
        if (row[column] === null) continue
        expect(record[field], `${field} of ${row.id} stands twice`).toBeUndefined()
        record[field] = type === 'numeric' ? Number(row[column]) : type === 'timestamp' ? updated : row[column]
      }
      return record
    })
    return { found, inExtra }
  }

  const sync = (name: string, mode: SyncMode, policy: SchemaPolicy, pages: readonly (readonly Rec[])[]) =>
    syncOnce({
      warehouse,
      stream: streamOf(name, mode, () => pages),
      definition: definitionOf(name, policy),
      run: `run-${++count}`,
      full: true,
    })

  const modes = ['merge', 'append', 'replace', 'replace_slice', 'history'] as const
  const ways = modes.flatMap((mode) => (Object.keys(orders) as (keyof typeof orders)[]).map((order) => ({ mode, order })))

  it.each(ways)('has a column of its own: $mode, records $order', async ({ mode, order }) => {
    const name = `v${++count}`
    const all = orders[order]
    // Three runs: what each brings meets what the ones before have made; snapshots hold all that came so far.
    const isSnapshot = mode === 'replace' || mode === 'replace_slice'
    for (const upTo of [2, 4, 6]) {
      const brought = all.slice(isSnapshot ? 0 : upTo - 2, upTo)
      await sync(name, mode, 'evolve', [brought.slice(0, 1), brought.slice(1)])
    }
    expect(await readBack(name)).toEqual({ found: records, inExtra: 0 })
    expect(await sync(name, mode, 'evolve', [all])).toMatchObject({ loaded: 0, unchanged: 6, deadLetters: 0 })
    const names = (await columnsOf(name)).map((column) => column.name)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(Object.keys(orders) as (keyof typeof orders)[])(
    'waits under its own name, and fills its own column, records %s',
    async (order) => {
      const name = `v${++count}`
      await sync(name, 'merge', 'approve', [[records[0]!]])
      await sync(name, 'merge', 'approve', [orders[order]])
      expect((await readBack(name)).found).toEqual(records)
      const approve = async (run: string) => {
        const waiting = await warehouse.changes.list({ stream: name, status: ['pending'] })
        for (const { id } of waiting) {
          await warehouse.changes.decide(id, 'approved', 'ana')
          const stream = streamOf(name, 'merge', () => [])
          await applyChange({ warehouse, definition: definitionOf(name, 'approve'), stream, run, change: id })
        }
      }
      await approve('approval 1')
      expect((await readBack(name)).found).toEqual(records)
      // Now that the fields have columns, their values of other types ask for variants, and wait for them.
      await sync(name, 'merge', 'approve', [orders[order]])
      await approve('approval 2')
      expect(await readBack(name)).toEqual({ found: records, inExtra: 0 })
    },
  )

  it('is told from a variant also where a table was made before they were told apart', async () => {
    const old = await openedDatabase(url)
    await old.db.query(`ALTER TABLE _weir.schema_changes DROP COLUMN variant; ALTER TABLE _weir.checkpoints DROP COLUMN attempt_at; ALTER TABLE _weir.backfill_slices DROP COLUMN attempt_at;
      CREATE UNIQUE INDEX schema_changes_open ON _weir.schema_changes (table_schema, table_name, field) WHERE status IN ('captured', 'pending', 'rejected')`)
    const columns = ['a numeric', 'a__json json', 'b__json json', 'a__text json'].map((text) => {
      const [field, type] = text.split(' ')
      return { field, name: field, type }
    })
    await old.db.query(`INSERT INTO _weir.schema_versions (table_schema, table_name, version, columns) VALUES ('s', 't', 1, $1)`, [
      JSON.stringify(columns),
    ])
    await old.db.query(
      `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, type, status) VALUES ('s', 't', 's', 't', 'field_new', 'a__boolean', 'boolean', 'pending')`,
    )
    await old.db.query(attemptsAndVariants)
    expect((await old.db.query('SELECT columns FROM _weir.schema_versions')).rows[0].columns).toEqual([
      { field: 'a', name: 'a', type: 'numeric' },
      { field: 'a', variant: 'json', name: 'a__json', type: 'json' },
      { field: 'b__json', name: 'b__json', type: 'json' },
      { field: 'a__text', name: 'a__text', type: 'json' },
    ])
    expect(await old.warehouse.changes.list({ sync: 's' })).toMatchObject([{ field: 'a', variant: 'boolean' }])
    await old.close()
  })
})

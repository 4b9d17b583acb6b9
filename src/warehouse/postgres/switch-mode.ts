import type pg from 'pg'
import type { SyncMode } from '../../core/types.js'
import type { OpenTable, StreamRef, TableSpec } from '../driver.js'
import { appendColumns, versionColumn, versionOf } from './append.js'
import { historyColumns, linkStatement, placed } from './history.js'
import { columnOf, readAt } from './merge.js'
import { transaction, warehouseFailure } from './pool.js'
import { id, list } from './sql.js'
import { identityOf, lockOf, modeIn, tableIn } from './tables.js'

/**
 * Keeps a table in another mode from now on, in place and in one transaction: views hold. Rows that the new mode has no place
 * for go: `consequence` in the engine says which, and a person has agreed. A second call changes nothing.
 */
export async function switchMode(pool: pg.Pool, ref: StreamRef & { run: string }, spec: TableSpec): Promise<void> {
  const doing = `Switching ${spec.schema}.${spec.table} to ${spec.mode}`
  try {
    await transaction(pool, doing, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', lockOf(spec))
      const was = await modeIn(client, spec)
      if (was === undefined || was === spec.mode) return
      const table = await tableIn(client, spec)
      if (shapeOf(was) !== shapeOf(spec.mode)) await reshape(client, table)
      await client.query('UPDATE _weir.tables SET mode = $3, mode_since = now() WHERE table_schema = $1 AND table_name = $2', [
        spec.schema,
        spec.table,
        spec.mode,
      ])
      await client.query(
        `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, type, run_id) VALUES ($1, $2, $3, $4, 'mode_switched', $5, $6)`,
        [ref.sync, ref.stream, spec.schema, spec.table, `${was} to ${spec.mode}`, ref.run],
      )
    })
  } catch (error) {
    throw warehouseFailure(error, doing)
  }
}

/** Modes that tell rows apart in the same way share a shape. */
const shapeOf = (mode: SyncMode): 'keyed' | 'append' | 'history' => (mode === 'append' || mode === 'history' ? mode : 'keyed')

async function reshape(client: pg.ClientBase, { spec, columns }: OpenTable): Promise<void> {
  const target = id(spec.schema, spec.table)
  const key = list(spec.key.map((field) => columnOf(columns, field)!))
  await client.query(`LOCK TABLE ${target} IN ACCESS EXCLUSIVE MODE`)
  await dropIdentity(client, target)
  const own = identityOf(spec.mode, key)
  await client.query(`ALTER TABLE ${target} ADD COLUMN IF NOT EXISTS _weir_seen_at timestamptz`)
  for (const { name, type } of own.columns) await client.query(`ALTER TABLE ${target} ADD COLUMN IF NOT EXISTS ${name} ${type}`)
  const cursor = columnOf(columns, spec.cursor)
  const newest = `${cursor === undefined ? '' : `${id(cursor)} DESC NULLS LAST, `}${readAt()} DESC, ctid DESC`
  const keepNewest = (of: string) =>
    client.query(
      `DELETE FROM ${target} t USING (SELECT ctid AS at, row_number() OVER (PARTITION BY ${of} ORDER BY ${newest}) AS n FROM ${target}) d WHERE t.ctid = d.at AND d.n > 1`,
    )
  switch (shapeOf(spec.mode)) {
    case 'append':
      await client.query(`UPDATE ${target} SET ${versionColumn} = ${versionOf(columns)}`)
      await keepNewest(`${key}, ${versionColumn}`)
      break
    case 'history': {
      const versions = placed({ ...spec, keepsRaw: false }, columns, [{ from: target, seen: readAt(), line: 'ctid' }])
      await client.query(
        `UPDATE ${target} t SET _weir_valid_from = p._weir_since, _weir_is_current = true, _weir_valid_to = NULL
           FROM ${target} o LEFT JOIN (${versions}) p ON p._weir_place = o.ctid WHERE t.ctid = o.ctid`,
      )
      await client.query(`DELETE FROM ${target} WHERE _weir_valid_from IS NULL`)
      await client.query(linkStatement(spec, columns, 'true'))
      break
    }
    case 'keyed':
      await keepNewest(key)
  }
  for (const { name } of [...historyColumns, ...appendColumns].filter(({ isRequired }) => isRequired)) {
    const isNeeded = own.columns.some((column) => column.name === name)
    const { rowCount } = await client.query(
      'SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped',
      [target, name],
    )
    if (rowCount === 1) await client.query(`ALTER TABLE ${target} ALTER COLUMN ${name} ${isNeeded ? 'SET' : 'DROP'} NOT NULL`)
  }
  await client.query(`ALTER TABLE ${target} ADD ${own.constraint}`)
}

/** The constraints that told rows apart so far. A user's own ones on other columns stay. */
async function dropIdentity(client: pg.ClientBase, target: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.conname AS name FROM pg_constraint c WHERE c.conrelid = to_regclass($1)
        AND (c.contype = 'p' OR (c.contype = 'u' AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND a.attname = $2)))`,
    [target, versionColumn],
  )
  for (const { name } of rows) await client.query(`ALTER TABLE ${target} DROP CONSTRAINT ${id(name)}`)
}

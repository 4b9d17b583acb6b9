import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import type { FieldType, SyncMode } from '../../core/types.js'
import { type Column, type Missing, takenId, type Wanted } from '../../schema/encode.js'
import { columnName, rawColumn } from '../../schema/names.js'
import type { OpenTable, SliceOwner, TableSpec } from '../driver.js'
import { appendColumns, versionColumn } from './append.js'
import { holdHashKey } from './hash-keys.js'
import { historyColumns } from './history.js'
import { columnOf } from './merge.js'
import { isKeyTaken, isRetryable, onConnection, transaction, warehouseFailure } from './pool.js'
import { fieldTypeOf, type IdentityColumn, id, list, literal, sqlType } from './sql.js'

/** PostgreSQL allows 1,600, dropped ones included; some are kept for variants and for Weir's own. */
const maxColumns = 1_500
/** Adding a column must not queue readers behind a load: better to fail, and try again. */
const lockTimeoutMs = 5_000
const ddlAttempts = 12

type Ref = SliceOwner & { run: string }

/** The advisory lock of whoever changes a table's shape. */
export const lockOf = (spec: TableSpec) => [`${spec.schema}.${spec.table}`]

const ownColumns = `_weir_run_id text NOT NULL, _weir_loaded_at timestamptz NOT NULL DEFAULT now(), _weir_deleted_at timestamptz, _weir_seen_at timestamptz, _weir_extra jsonb`

/** What tells rows apart in a mode: one row a key, one a version, or one a key and time. */
export function identityOf(mode: SyncMode, key: string): { columns: readonly IdentityColumn[]; constraint: string } {
  switch (mode) {
    case 'append':
      return { columns: appendColumns, constraint: `UNIQUE (${key}, ${versionColumn})` }
    case 'history':
      return { columns: historyColumns, constraint: `PRIMARY KEY (${key}, _weir_valid_from)` }
    default:
      return { columns: [], constraint: `PRIMARY KEY (${key})` }
  }
}

interface Found {
  exists: boolean
  /** Column name → what it takes, as the catalogue says. */
  types: Map<string, FieldType>
  /** Fields as the newest schema version maps them. */
  columns: Column[]
  /** Undefined for a table that is not Weir's, or older than this record. */
  mode: SyncMode | undefined
  /** The run that made it. */
  madeBy: string | undefined
}

async function look(client: pg.ClientBase, spec: TableSpec): Promise<Found> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `SELECT a.attname AS name, t.typname AS type FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [id(spec.schema, spec.table)],
  )
  const { rows: versions } = await client.query<{ columns: Column[] }>(
    'SELECT columns FROM _weir.schema_versions WHERE table_schema = $1 AND table_name = $2 ORDER BY version DESC LIMIT 1',
    [spec.schema, spec.table],
  )
  const { rows: known } = await client.query<{ mode: SyncMode; made_by: string | null }>(
    `SELECT mode, (SELECT run_id FROM _weir.schema_changes WHERE table_schema = $1 AND table_name = $2 AND change = 'table_created'
                    ORDER BY id DESC LIMIT 1) AS made_by
       FROM _weir.tables WHERE table_schema = $1 AND table_name = $2`,
    [spec.schema, spec.table],
  )
  const types = new Map(rows.map(({ name, type }) => [name, fieldTypeOf(type)]))
  // A column that a user dropped is made again when its field comes; one that was retyped takes what it takes now.
  const columns = (versions[0]?.columns ?? [])
    .filter(({ name }) => types.has(name) && name !== rawColumn)
    .map((column) => ({ ...column, type: types.get(column.name)! }))
  const exists = rows.length > 0
  // What is known of a table that a user dropped counts no more.
  const mode = exists ? (known[0]?.mode ?? (types.has(versionColumn) ? 'append' : undefined)) : undefined
  return { exists, types, columns, mode, madeBy: known[0]?.made_by ?? undefined }
}

const opened = (spec: TableSpec, columns: readonly Column[], isNew: boolean): OpenTable => ({
  spec,
  columns,
  isFull: columns.length >= maxColumns,
  isNew,
})

/** Those of `more` that have no column yet, with names for them. The deletion mark has Weir's own column. */
function wanted(have: readonly Column[], more: Iterable<Wanted>): Column[] {
  const known = new Set(have.map(takenId))
  const taken = new Set(have.map(({ name }) => name))
  const added: Column[] = []
  for (const one of more) {
    if (known.has(takenId(one)) || have.length + added.length >= maxColumns) continue
    const name = columnName(one.variant === undefined ? one.field : `${one.field}__${one.variant}`, taken)
    known.add(takenId(one))
    taken.add(name)
    added.push({ ...one, name })
  }
  return added
}

const declared = (spec: TableSpec): Wanted[] => Object.entries(spec.fields).map(([field, { type }]) => ({ field, type }))

/** The table as it stands, made first where there is none. With `adds`, fields that the spec declares get the columns that they lack. */
export async function openTable(pool: pg.Pool, ref: Ref, spec: TableSpec, adds: boolean): Promise<OpenTable> {
  const doing = `Opening table ${spec.schema}.${spec.table}`
  try {
    await holdHashKey(pool, spec)
    const found = await onConnection(pool, doing, (client) => look(client, spec))
    const isReady =
      found.exists &&
      found.mode !== undefined &&
      lacking(spec, found).length === 0 &&
      !(adds && wanted(found.columns, declared(spec)).length > 0)
    if (!isReady) return await change(pool, ref, spec, found.exists && !adds ? [] : declared(spec))
    refuseOtherMode(ref, spec, found.mode)
    return opened(spec, found.columns, found.madeBy === ref.run)
  } catch (error) {
    throw warehouseFailure(error, doing)
  }
}

/** Weir's own columns that a table of an earlier time lacks. */
function lacking({ keepsRaw }: TableSpec, { types }: Found): string[] {
  const own: [string, string][] = [['_weir_seen_at', 'timestamptz'], ...(keepsRaw ? [[rawColumn, 'jsonb'] as [string, string]] : [])]
  return own.filter(([name]) => !types.has(name)).map(([name, type]) => `${name} ${type}`)
}

/** People are told when a run is planned, with what a switch would do; this is the bar behind it. */
export function refuseOtherMode({ sync, stream, backfill }: SliceOwner, spec: TableSpec, mode: SyncMode | undefined): void {
  if (mode === undefined || mode === spec.mode) return
  const next =
    backfill === undefined
      ? `Switch it: weir sync ${sync} --stream ${stream} --accept mode`
      : `It was switched since backfill ${backfill} began: start another one, which reads by the project file of today.`
  throw new Failure('config', `Table ${spec.schema}.${spec.table} is kept in mode ${mode}, not ${spec.mode}. ${next}`, { sync, stream })
}

/** The table as a transaction sees it. */
export const tableIn = async (client: pg.ClientBase, spec: TableSpec): Promise<OpenTable> =>
  opened(spec, (await look(client, spec)).columns, false)

/** The mode that a table is kept in; undefined where there is none yet. */
export const modeIn = async (client: pg.ClientBase, spec: TableSpec): Promise<SyncMode | undefined> => (await look(client, spec)).mode

/** The mode that each table of a schema is kept in, by the table's name. */
export async function modesOf(pool: pg.Pool, schema: string): Promise<Record<string, SyncMode>> {
  const { rows } = await pool.query<{ name: string; mode: SyncMode }>(
    'SELECT table_name AS name, mode FROM _weir.tables WHERE table_schema = $1',
    [schema],
  )
  return Object.fromEntries(rows.map(({ name, mode }) => [name, mode]))
}

export async function addColumns(pool: pg.Pool, ref: Ref, table: OpenTable, missing: Missing): Promise<OpenTable> {
  const { spec } = table
  try {
    return await change(pool, ref, spec, missing.values())
  } catch (error) {
    throw warehouseFailure(error, `Adding columns to ${spec.schema}.${spec.table}`)
  }
}

/** Creates the table or adds columns: short, of its own, tried again when a reader holds the table. */
async function change(pool: pg.Pool, ref: Ref, spec: TableSpec, fields: Iterable<Wanted>): Promise<OpenTable> {
  const all = [...fields]
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(pool, `Changing table ${spec.schema}.${spec.table}`, async (client) => {
        await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
        await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', lockOf(spec))
        const found = await look(client, spec)
        const added = wanted(found.columns, all)
        refuseOtherMode(ref, spec, found.mode)
        if (!found.exists) await create(client, ref, spec, added)
        else await alter(client, ref, spec, found, added)
        await client.query(
          `INSERT INTO _weir.tables (table_schema, table_name, sync, stream, mode) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (table_schema, table_name) DO UPDATE SET sync = excluded.sync, stream = excluded.stream, mode = excluded.mode`,
          [spec.schema, spec.table, ref.sync, ref.stream, spec.mode],
        )
        const columns = [...found.columns, ...added]
        if (added.length > 0 || !found.exists)
          await record(client, ref, spec, columns, found.exists ? 'column_added' : 'table_created', added)
        return opened(spec, columns, !found.exists || found.madeBy === ref.run)
      })
    } catch (error) {
      // Of two that make the schema at once, one is told that its name is taken.
      if (!(isRetryable(error) || isKeyTaken(error)) || attempt >= ddlAttempts) throw error
    }
  }
}

async function create(client: pg.ClientBase, ref: Ref, spec: TableSpec, columns: readonly Column[]): Promise<void> {
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${id(spec.schema)}`)
  const keys = new Set(spec.key)
  const lines = columns.map(({ field, name, type }) => `${id(name)} ${sqlType[type]}${keys.has(field) ? ' NOT NULL' : ''}`)
  const identity = identityOf(spec.mode, list(spec.key.map((field) => columnOf(columns, field)!)))
  const own = identity.columns.map(({ name, type, isRequired }) => `${name} ${type}${isRequired ? ' NOT NULL' : ''}`)
  const parts = [...lines, ownColumns, ...(spec.keepsRaw ? [`${rawColumn} jsonb`] : []), ...own, identity.constraint]
  await client.query(`CREATE TABLE ${id(spec.schema, spec.table)} (${parts.join(', ')})`)
  await client.query(`COMMENT ON TABLE ${id(spec.schema, spec.table)} IS ${literal(`Weir: stream ${ref.stream} of sync ${ref.sync}`)}`)
}

async function alter(client: pg.ClientBase, ref: Ref, spec: TableSpec, found: Found, added: readonly Column[]): Promise<void> {
  if (!found.types.has('_weir_run_id')) {
    throw new Failure(
      'config',
      `Table ${spec.schema}.${spec.table} exists and is not Weir's. Choose another \`schema\` for sync ${ref.sync}, or move the table away.`,
    )
  }
  const wants = [...added.map(({ name, type }) => `${id(name)} ${sqlType[type]}`), ...lacking(spec, found)]
  if (wants.length === 0) return
  const adds = wants.map((column) => `ADD COLUMN IF NOT EXISTS ${column}`).join(', ')
  await client.query(`ALTER TABLE ${id(spec.schema, spec.table)} ${adds}`)
}

async function record(
  client: pg.ClientBase,
  ref: Ref,
  spec: TableSpec,
  columns: readonly Column[],
  change: string,
  added: readonly Column[],
): Promise<void> {
  await client.query(
    `INSERT INTO _weir.schema_versions (table_schema, table_name, version, columns, run_id)
     SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4 FROM _weir.schema_versions WHERE table_schema = $1 AND table_name = $2`,
    [spec.schema, spec.table, JSON.stringify(columns), ref.run],
  )
  const changes = change === 'table_created' ? [{ field: null, name: null, type: null }] : added
  await client.query(
    `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, variant, column_name, type, run_id)
     SELECT $1, $2, $3, $4, $5, c->>'field', c->>'variant', c->>'name', c->>'type', $6 FROM jsonb_array_elements($7::jsonb) c`,
    [ref.sync, ref.stream, spec.schema, spec.table, change, ref.run, JSON.stringify(changes)],
  )
}

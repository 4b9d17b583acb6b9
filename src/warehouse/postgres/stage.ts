/** Where a snapshot or a slice gathers before it takes the place of what stands. */
import type pg from 'pg'
import { joinedName, rawColumn } from '../../schema/names.js'
import type { OpenTable, SliceOwner } from '../driver.js'
import { columnOf } from './merge.js'
import { id, list, literal, sqlType } from './sql.js'

/** A replaced stream has one stage, a replaced slice one of its own; a backfill's slice another than the live sync's. */
export const stageName = ({ sync, stream, backfill }: SliceOwner, slice?: string): string =>
  joinedName(...[sync, stream, slice, backfill].filter((part) => part !== undefined))

const owner = ({ sync, stream, backfill }: SliceOwner) => (backfill === undefined ? `${sync}/${stream}` : `backfill ${backfill}/${stream}`)

export async function hasStage(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [id('_weir_stage', name)])
  return rows[0]!.there
}

/**
 * Makes the stage, or gives it the columns that its table got meanwhile, inside the transaction of the batch that needs it.
 * Logged, since the checkpoints that say how far it has come survive a crash too. `fresh`: what an earlier beginning of the
 * slice left is forgotten.
 */
export async function openStage(
  client: pg.ClientBase,
  ref: SliceOwner,
  name: string,
  { spec, columns }: OpenTable,
  fresh: boolean,
): Promise<void> {
  const stage = id('_weir_stage', name)
  if (fresh) await client.query(`DROP TABLE IF EXISTS ${stage}`)
  let has = await namesOf(client, stage)
  if (has.size === 0) {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [name])
    has = await namesOf(client, stage)
  }
  if (has.size === 0) {
    const key = list(spec.key.map((field) => columnOf(columns, field)!))
    await client.query(`CREATE TABLE ${stage} (LIKE ${id(spec.schema, spec.table)} INCLUDING DEFAULTS, PRIMARY KEY (${key}))`)
    // A table of an earlier time does not say when its rows are loaded.
    await client.query(`ALTER TABLE ${stage} ALTER COLUMN _weir_loaded_at SET DEFAULT now()`)
    await client.query(`COMMENT ON TABLE ${stage} IS ${literal(owner(ref))}`)
    return
  }
  const wants = [...columns.map(({ name: column, type }) => [column, sqlType[type]] as const), ['_weir_seen_at', 'timestamptz'] as const]
  if (spec.keepsRaw) wants.push([rawColumn, 'jsonb'])
  const adds = wants.filter(([column]) => !has.has(column)).map(([column, type]) => `ADD COLUMN ${id(column)} ${type}`)
  if (adds.length > 0) await client.query(`ALTER TABLE ${stage} ${adds.join(', ')}`)
}

async function namesOf(client: pg.ClientBase, stage: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped',
    [stage],
  )
  return new Set(rows.map(({ name }) => name))
}

/** Drops every stage of a stream: what an interrupted run gathered belongs to another moment. */
export async function sweepStages(client: pg.ClientBase, ref: SliceOwner): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = '_weir_stage'::regnamespace AND c.relkind = 'r'
        AND obj_description(c.oid, 'pg_class') = $1`,
    [owner(ref)],
  )
  for (const { name } of rows) await client.query(`DROP TABLE IF EXISTS ${id('_weir_stage', name)}`)
}

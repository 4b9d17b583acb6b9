import type pg from 'pg'
import type { Slice } from '../../core/types.js'
import type { Column } from '../../schema/encode.js'
import type { OpenTable, TableSpec } from '../driver.js'
import { columnOf, differs, takeOver } from './merge.js'
import { id, list, literal } from './sql.js'
import { hasStage } from './stage.js'

/** Rows of the table, and of the snapshot that is to take their place. */
export interface Sizes {
  before: number
  after: number
}

export async function sizes(client: pg.ClientBase, spec: TableSpec, stage: string): Promise<Sizes> {
  const count = async (table: string) => Number((await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n)
  return {
    before: await count(id(spec.schema, spec.table)),
    after: (await hasStage(client, stage)) ? await count(id('_weir_stage', stage)) : 0,
  }
}

/**
 * Makes the standing table equal to what was gathered, inside the caller's transaction: all of it, or the rows of a slice.
 * Readers see the old rows or the new ones, and views, grants and indexes hold, since the table is never renamed, dropped or
 * truncated. The stage goes.
 */
export async function exchange(
  client: pg.ClientBase,
  { spec, columns }: OpenTable,
  stage: string,
  slice?: Slice,
): Promise<{ loaded: number; deleted: number }> {
  const target = id(spec.schema, spec.table)
  const where = slice === undefined ? 'true' : within(spec, columns, slice)
  if (!(await hasStage(client, stage))) {
    const { rowCount } = await client.query(`DELETE FROM ${target} t WHERE ${where}`)
    return { loaded: 0, deleted: rowCount ?? 0 }
  }
  const from = id('_weir_stage', stage)
  const key = spec.key.map((field) => columnOf(columns, field)!)
  const same = key.map((name) => `s.${id(name)} = t.${id(name)}`).join(' AND ')
  const gone = await client.query(`DELETE FROM ${target} t WHERE ${where} AND NOT EXISTS (SELECT 1 FROM ${from} s WHERE ${same})`)
  const names = list([...columns.map(({ name }) => name), '_weir_extra', '_weir_run_id', '_weir_loaded_at', '_weir_deleted_at'])
  const written = await client.query(
    `INSERT INTO ${target} AS t (${names}) SELECT ${names} FROM ${from} ORDER BY ${list(key)}
     ON CONFLICT (${list(key)}) DO UPDATE SET ${takeOver(columns, key)} WHERE ${differs(spec, columns, 'excluded')}`,
  )
  await client.query(`DROP TABLE ${from}`)
  return { loaded: written.rowCount ?? 0, deleted: gone.rowCount ?? 0 }
}

/** The rows of the table that a slice speaks for. Days are days of UTC; the day in which a slice ends belongs to it. */
function within({ bounds }: TableSpec, columns: readonly Column[], { from, to, parent }: Slice): string {
  const conditions: string[] = []
  const range = columns.find(({ field }) => field === bounds?.range)
  if (range) {
    const isDay = range.type === 'date'
    const at = (instant: string) => (isDay ? `(${literal(instant)}::timestamptz AT TIME ZONE 'UTC')` : `${literal(instant)}::timestamptz`)
    if (from !== undefined) conditions.push(`t.${id(range.name)} >= ${at(from)}${isDay ? '::date' : ''}`)
    if (to !== undefined) conditions.push(`t.${id(range.name)} < ${at(to)}`)
  }
  const owner = columnOf(columns, bounds?.parent)
  if (owner !== undefined && parent !== undefined) conditions.push(`t.${id(owner)}::text = ${literal(parent)}`)
  return conditions.length === 0 ? 'true' : conditions.join(' AND ')
}

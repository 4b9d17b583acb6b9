import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import type { Slice } from '../../core/types.js'
import { type Column, columnFor } from '../../schema/encode.js'
import type { OpenTable, StreamRef, TableSpec } from '../driver.js'
import { assignments, besides, columnOf, differs, ownNames } from './merge.js'
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
 * truncated. The stage goes. `refusedIn` is the run when some of its records became dead letters; of the `overtaken` slices newer rows
 * stand already.
 */
export async function exchange(
  client: pg.ClientBase,
  { spec, columns }: OpenTable,
  stage: string,
  { slice, refusedIn, overtaken = [] }: { slice?: Slice; refusedIn?: StreamRef & { run: string }; overtaken?: readonly Slice[] } = {},
): Promise<{ loaded: number; deleted: number }> {
  const target = id(spec.schema, spec.table)
  const notOvertaken = (of: string) => overtaken.map((one) => `(${within(spec, columns, one, of)}) IS NOT TRUE`)
  const where = [
    slice === undefined ? 'true' : within(spec, columns, slice, 't'),
    ...notOvertaken('t'),
    ...(refusedIn ? [notRefused(spec, columns, refusedIn)] : []),
  ].join(' AND ')
  if (!(await hasStage(client, stage))) {
    const { rowCount } = await client.query(`DELETE FROM ${target} t WHERE ${where}`)
    return { loaded: 0, deleted: rowCount ?? 0 }
  }
  const from = id('_weir_stage', stage)
  const key = spec.key.map((field) => columnOf(columns, field)!)
  const same = key.map((name) => `s.${id(name)} = t.${id(name)}`).join(' AND ')
  const gone = await client.query(`DELETE FROM ${target} t WHERE ${where} AND NOT EXISTS (SELECT 1 FROM ${from} s WHERE ${same})`)
  const names = list([...columns.map(({ name }) => name), ...besides(spec), ...ownNames])
  const written = await client.query(
    `INSERT INTO ${target} AS t (${names}) SELECT ${names} FROM ${from} s WHERE ${['true', ...notOvertaken('s')].join(' AND ')} ORDER BY ${list(key)}
     ON CONFLICT (${list(key)}) DO UPDATE SET ${assignments(spec, columns, key)} WHERE ${differs(spec, columns, 'excluded')}`,
  )
  await client.query(`DROP TABLE ${from}`)
  return { loaded: written.rowCount ?? 0, deleted: gone.rowCount ?? 0 }
}

/** What could not be stored in this run is not gone at the vendor: the row as it was stays beside the dead letter. */
function notRefused(spec: TableSpec, columns: readonly Column[], { sync, stream, run }: StreamRef & { run: string }): string {
  const texts = spec.key.map((field) => `t.${id(columnOf(columns, field)!)}::text`)
  const key = texts.length === 1 ? texts[0]! : `'[' || ${texts.map((text) => `to_json(${text})::text`).join(` || ',' || `)} || ']'`
  return `NOT EXISTS (SELECT 1 FROM _weir.dead_letters d WHERE d.sync = ${literal(sync)} AND d.stream = ${literal(stream)}
    AND d.run_id = ${literal(run)} AND d.status = 'open' AND d.kind = 'record' AND d.record_key = ${key})`
}

/**
 * The rows of a table, or of its stage, that a slice speaks for. Days are days of UTC; the day in which a slice ends belongs to it.
 * @throws Failure `config` where the rows of its parent cannot be told from others': they would go, too
 */
function within(spec: TableSpec, columns: readonly Column[], { from, to, parent }: Slice, of: string): string {
  const { bounds } = spec
  const conditions: string[] = []
  const range = columnFor(columns, bounds?.range)
  if (range) {
    const isDay = range.type === 'date'
    const at = (instant: string) => (isDay ? `(${literal(instant)}::timestamptz AT TIME ZONE 'UTC')` : `${literal(instant)}::timestamptz`)
    if (from !== undefined) conditions.push(`${of}.${id(range.name)} >= ${at(from)}${isDay ? '::date' : ''}`)
    if (to !== undefined) conditions.push(`${of}.${id(range.name)} < ${at(to)}`)
  }
  const owner = columnOf(columns, bounds?.parent)
  if (parent !== undefined && owner === undefined)
    throw new Failure(
      'config',
      `Table ${spec.schema}.${spec.table} has no column that says whose rows they are (${bounds?.parent ?? 'no field is named'}), so a slice of one parent cannot be replaced.`,
    )
  if (owner !== undefined && parent !== undefined) conditions.push(`${of}.${id(owner)}::text = ${literal(parent)}`)
  return conditions.length === 0 ? 'true' : conditions.join(' AND ')
}

import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Column } from '../../schema/encode.js'
import type { BatchCommit, Letter, TableSpec } from '../driver.js'
import { isDataError } from './pool.js'
import { bringsRaw, telling } from './raw.js'
import { id, list, sqlType } from './sql.js'
import { stageName, versionColumn } from './tables.js'

/** Rows of a batch as they came out: what was written, and which lines the database refused. */
export interface Loaded {
  loaded: number
  letters: Letter[]
}

/**
 * COPY into a temporary table, then one statement into where the mode wants the rows, in key order so that parallel slices
 * do not deadlock. With `careful`, what the database refuses is halved until the culprit is alone and becomes a dead letter.
 */
export async function loadLines(client: pg.ClientBase, batch: BatchCommit, careful: boolean): Promise<Loaded> {
  if (batch.lines.length === 0) return { loaded: 0, letters: [] }
  const { columns, spec } = batch.table
  const definition = columns.map(({ name, type }) => `${id(name)} ${sqlType[type]}`).join(', ')
  await client.query(
    `CREATE TEMP TABLE weir_batch (${definition}, _weir_extra jsonb, weir_line int GENERATED ALWAYS AS IDENTITY) ON COMMIT DROP`,
  )
  const copy = `COPY weir_batch (${[list(columns.map(({ name }) => name)), '_weir_extra'].join(', ')}) FROM STDIN`
  const write = statementFor(batch)
  const values = [batch.claim.run]
  if (!careful) {
    await copyLines(client, copy, batch.lines)
    const { rowCount } = await client.query(write, values)
    return { loaded: rowCount ?? 0, letters: [] }
  }
  const result: Loaded = { loaded: 0, letters: [] }
  const attempt = async (from: number, to: number): Promise<void> => {
    await client.query('SAVEPOINT part')
    try {
      await copyLines(client, copy, batch.lines.slice(from, to))
      const { rowCount } = await client.query(write, values)
      result.loaded += rowCount ?? 0
      await client.query('TRUNCATE weir_batch')
      await client.query('RELEASE SAVEPOINT part')
    } catch (error) {
      if (!isDataError(error)) throw error
      await client.query('ROLLBACK TO SAVEPOINT part')
      if (to - from > 1) {
        const middle = (from + to) >> 1
        await attempt(from, middle)
        await attempt(middle, to)
        return
      }
      const message = `PostgreSQL refused it for ${spec.schema}.${spec.table}: ${(error as Error).message.replaceAll(/"[^"]*"/g, '"…"')} (${(error as { code: string }).code})`
      result.letters.push({ kind: 'record', reason: 'record', message, ...batch.recordOf(from) })
    }
  }
  await attempt(0, batch.lines.length)
  return result
}

async function copyLines(client: pg.ClientBase, copy: string, lines: readonly string[]): Promise<void> {
  const stream = client.query(copyFrom(copy))
  const done = once(stream, 'finish')
  stream.end(`${lines.join('\n')}\n`)
  await done
}

const columnOf = (columns: readonly Column[], field: string | undefined) => columns.find((column) => column.field === field)?.name

/** The statement that moves the batch on; its row count is the number of rows that changed the warehouse. */
function statementFor({ table: { spec, columns }, claim }: BatchCommit): string {
  const names = columns.map(({ name }) => name)
  const key = spec.key.map((field) => columnOf(columns, field)!)
  const deletedAt = columnOf(columns, spec.deletedAt)
  const mark = deletedAt ? `${id(deletedAt)}::timestamptz` : 'NULL::timestamptz'
  // Of a key that is in the batch twice the newest version stands, of equal ones the one read last.
  const cursor = columnOf(columns, spec.cursor)
  const newest = cursor ? `${id(cursor)} DESC NULLS LAST, weir_line DESC` : 'weir_line DESC'
  const keys = list(key)
  const all = `${list(names)}, _weir_extra`
  const own = `_weir_run_id, _weir_loaded_at, _weir_deleted_at`
  if (spec.mode === 'append') {
    // Empty columns are left out, so that a column added later does not make old rows look new.
    const told = telling(columns).map(({ name }) => name)
    const parts = [...told, '_weir_extra'].map((name) => `'${name.replaceAll("'", "''")}=' || ${id(name)}::text`).join(', ')
    const version = `md5(array_to_string(ARRAY[${parts}], chr(31)))`
    return `INSERT INTO ${id(spec.schema, spec.table)} (${all}, ${own}, ${versionColumn})
      SELECT ${all}, $1, now(), ${mark}, ${version} FROM weir_batch ORDER BY ${keys}, weir_line ON CONFLICT (${keys}, ${versionColumn}) DO NOTHING`
  }
  const select = `SELECT DISTINCT ON (${keys}) ${all}, $1, now(), ${mark} FROM weir_batch ORDER BY ${keys}, ${newest}`
  const target = spec.mode === 'replace' ? id('_weir_stage', stageName(claim)) : id(spec.schema, spec.table)
  const set = [...names.filter((name) => !key.includes(name)), '_weir_extra', '_weir_run_id', '_weir_loaded_at', '_weir_deleted_at']
    .map((name) => `${id(name)} = excluded.${id(name)}`)
    .join(', ')
  // A snapshot takes what was read last; what that changes is known when the snapshot is whole.
  const guard = spec.mode === 'replace' ? '' : `WHERE ${newerWins(spec, columns, 'excluded')}`
  return `INSERT INTO ${target} AS t (${all}, ${own}) ${select} ON CONFLICT (${keys}) DO UPDATE SET ${set} ${guard}`
}

/**
 * May the row `next` take the place of `t`? A newer version does; an equally old one only if it differs; a deletion is a
 * version like any other, so only a strictly newer one brings the row back.
 */
export function newerWins(spec: TableSpec, columns: readonly Column[], next: string): string {
  const cursor = columnOf(columns, spec.cursor)
  const isTime = columns.find(({ name }) => name === cursor)?.type === 'timestamp'
  const age = (of: string) =>
    cursor === undefined
      ? `${of}._weir_deleted_at`
      : isTime
        ? `greatest(${of}.${id(cursor)}, ${of}._weir_deleted_at)`
        : `${of}.${id(cursor)}`
  const older = `coalesce(${age(next)} < ${age('t')}, false)`
  const newer = `coalesce(${age(next)} > ${age('t')}, false)`
  const revives = `t._weir_deleted_at IS NOT NULL AND ${next}._weir_deleted_at IS NULL`
  const mayRevive = cursor === undefined ? 'true' : newer
  return `NOT ${older} AND ${differs(spec, columns, next)} AND (NOT (${revives}) OR ${mayRevive})`
}

/** Does the row `next` say anything else than `t`? Weir's own marks of run and time do not count. */
export function differs(spec: TableSpec, columns: readonly Column[], next: string): string {
  const compared = [
    ...telling(columns)
      .filter(({ field }) => !spec.key.includes(field))
      .map(({ name }) => name),
    '_weir_extra',
    '_weir_deleted_at',
  ]
  const row = (of: string) => `ROW(${compared.map((name) => `${of}.${id(name)}`).join(', ')})`
  return `(${row('t')} IS DISTINCT FROM ${row(next)} OR ${bringsRaw(spec, columns, next)})`
}

import type { Column } from '../../schema/encode.js'
import type { TableSpec } from '../driver.js'
import { bringsRaw, telling } from './raw.js'
import { id, list } from './sql.js'

/** The column that a field fills, and its name. */
export const columnFor = (columns: readonly Column[], field: string | undefined): Column | undefined =>
  columns.find((column) => column.field === field)
export const columnOf = (columns: readonly Column[], field: string | undefined): string | undefined => columnFor(columns, field)?.name

/** How old a version is, as SQL over its cursor and its mark of deletion: a deletion is a version too. */
export const ageOf = ({ type }: Column, cursor: string, deletedAt: string): string =>
  type === 'timestamp' ? `greatest(${cursor}, ${deletedAt})` : cursor

/** As SQL: is `a` less than `b`, where both are known? */
export const isBefore = (a: string, b: string): string => `coalesce(${a} < ${b}, false)`

/** What every row says beside the vendor's columns, and where a batch's row has it from. */
export interface Parts {
  /** Quoted names of the vendor's columns and `_weir_extra`. */
  all: string
  /** Quoted names of the key's columns. */
  keys: string
  key: readonly string[]
  /** Weir's own columns, and their values in the same order. */
  own: string
  ownValues: string
  /** Instant of deletion. */
  mark: string
  /** Of a key that is in the batch twice the newest version stands, of equal ones the one read last. */
  newest: string
}

export function partsOf(spec: TableSpec, columns: readonly Column[]): Parts {
  const key = spec.key.map((field) => columnOf(columns, field)!)
  const deletedAt = columnOf(columns, spec.deletedAt)
  const cursor = columnOf(columns, spec.cursor)
  const mark = deletedAt ? `${id(deletedAt)}::timestamptz` : 'NULL::timestamptz'
  return {
    all: `${list(columns.map(({ name }) => name))}, _weir_extra`,
    keys: list(key),
    key,
    own: '_weir_run_id, _weir_loaded_at, _weir_deleted_at',
    ownValues: `$1::text, now(), ${mark}`,
    mark,
    newest: cursor ? `${id(cursor)} DESC NULLS LAST, _weir_line DESC` : '_weir_line DESC',
  }
}

/** SET list that takes over everything of the row `excluded` but its key. */
export function takeOver(columns: readonly Column[], key: readonly string[]): string {
  const names = columns.map(({ name }) => name).filter((name) => !key.includes(name))
  return [...names, '_weir_extra', '_weir_run_id', '_weir_loaded_at', '_weir_deleted_at']
    .map((name) => `${id(name)} = excluded.${id(name)}`)
    .join(', ')
}

/**
 * Upsert by key into the table, where a newer version is never overwritten by an older one; or into a stage, which takes what
 * was read last: what a snapshot changes is known when it is whole.
 */
export function mergeStatement(spec: TableSpec, columns: readonly Column[], stage?: string): string {
  const { all, keys, key, own, ownValues, newest } = partsOf(spec, columns)
  const target = stage === undefined ? id(spec.schema, spec.table) : id('_weir_stage', stage)
  const guard = stage === undefined ? `WHERE ${newerWins(spec, columns, 'excluded')}` : ''
  return `INSERT INTO ${target} AS t (${all}, ${own})
    SELECT DISTINCT ON (${keys}) ${all}, ${ownValues} FROM weir_batch ORDER BY ${keys}, ${newest}
    ON CONFLICT (${keys}) DO UPDATE SET ${takeOver(columns, key)} ${guard}`
}

/**
 * May the row `next` take the place of `t`? A newer version does; an equally old one only if it differs; a deletion is a
 * version like any other, so only a strictly newer one brings the row back.
 */
export function newerWins(spec: TableSpec, columns: readonly Column[], next: string): string {
  const cursor = columnFor(columns, spec.cursor)
  const age = (of: string) =>
    cursor === undefined ? `${of}._weir_deleted_at` : ageOf(cursor, `${of}.${id(cursor.name)}`, `${of}._weir_deleted_at`)
  const older = isBefore(age(next), age('t'))
  const newer = isBefore(age('t'), age(next))
  const revives = `t._weir_deleted_at IS NOT NULL AND ${next}._weir_deleted_at IS NULL`
  const mayRevive = cursor === undefined ? 'true' : newer
  return `NOT ${older} AND ${differs(spec, columns, next)} AND (NOT (${revives}) OR ${mayRevive})`
}

/** Does the row `next` say anything else than `t`? Weir's own marks of run and time do not count. */
export function differs(spec: TableSpec, columns: readonly Column[], next: string): string {
  const told = telling(columns).filter(({ field }) => !spec.key.includes(field))
  const compared = [...told.map(({ name }) => name), '_weir_extra', '_weir_deleted_at']
  const row = (of: string) => `ROW(${compared.map((name) => `${of}.${id(name)}`).join(', ')})`
  return `(${row('t')} IS DISTINCT FROM ${row(next)} OR ${bringsRaw(spec, columns, next)})`
}

import type { Column } from '../../schema/encode.js'
import type { TableSpec } from '../driver.js'
import { ageOf, columnFor, differs, newerWins, partsOf, takeOver } from './merge.js'
import { type IdentityColumn, id } from './sql.js'

/** From when a version of a row held, until when, and whether it still does. */
export const historyColumns: readonly IdentityColumn[] = [
  { name: '_weir_valid_from', type: 'timestamptz', isRequired: true },
  { name: '_weir_valid_to', type: 'timestamptz', isRequired: false },
  { name: '_weir_is_current', type: 'boolean', isRequired: true },
]

/** Since when a version holds: its cursor or its deletion, whichever is later; where the vendor says neither, since it was seen. */
export function validFrom(spec: TableSpec, columns: readonly Column[], deletedAt: string, seenAt: string): string {
  const cursor = columnFor(columns, spec.cursor)
  return `coalesce(${cursor?.type === 'timestamp' ? ageOf(cursor, id(cursor.name), deletedAt) : deletedAt}, ${seenAt})`
}

/**
 * Every version of a row with its time (slowly changing dimension, type 2). A version that comes late is fitted in between;
 * one that says nothing new to the version before it is none. The caller holds the table's lock: of two transactions at once
 * each would miss the other's versions.
 */
export function historyStatements(spec: TableSpec, columns: readonly Column[]): string[] {
  const { all, keys, key, own, mark, newest } = partsOf(spec, columns)
  const target = id(spec.schema, spec.table)
  const same = (a: string, b: string) => key.map((name) => `${a}.${id(name)} = ${b}.${id(name)}`).join(' AND ')
  const insert = `INSERT INTO ${target} AS t (${all}, ${own}, _weir_valid_from, _weir_is_current)
    SELECT ${all}, $1::text, now(), _weir_deleted_at, _weir_valid_from, true FROM (
      SELECT DISTINCT ON (${keys}, _weir_valid_from) * FROM (
        SELECT *, ${mark} AS _weir_deleted_at, ${validFrom(spec, columns, mark, 'now()')} AS _weir_valid_from FROM weir_batch) seen
      ORDER BY ${keys}, _weir_valid_from, ${newest}) n
    WHERE NOT EXISTS (SELECT 1 FROM ${target} t WHERE ${same('t', 'n')} AND t._weir_valid_from <= n._weir_valid_from
      AND (t._weir_valid_to IS NULL OR t._weir_valid_to > n._weir_valid_from) AND NOT (${differs(spec, columns, 'n')}))
    ON CONFLICT (${keys}, _weir_valid_from) DO UPDATE SET ${takeOver(columns, key)} WHERE ${newerWins(spec, columns, 'excluded')}`
  return [insert, linkStatement(spec, columns, `(${keys}) IN (SELECT ${keys} FROM weir_batch)`)]
}

/** Gives every version of the rows that `where` chooses the end that its successor begins with. */
export function linkStatement(spec: TableSpec, columns: readonly Column[], where: string): string {
  const { keys, key } = partsOf(spec, columns)
  const target = id(spec.schema, spec.table)
  const same = key.map((name) => `t.${id(name)} = v.${id(name)}`).join(' AND ')
  return `UPDATE ${target} t SET _weir_valid_to = v.next, _weir_is_current = v.next IS NULL FROM (
      SELECT ${keys}, _weir_valid_from, lead(_weir_valid_from) OVER (PARTITION BY ${keys} ORDER BY _weir_valid_from) AS next
        FROM ${target} WHERE ${where}) v
    WHERE ${same} AND t._weir_valid_from = v._weir_valid_from
      AND (t._weir_valid_to IS DISTINCT FROM v.next OR t._weir_is_current IS DISTINCT FROM (v.next IS NULL))`
}

import { type Column, columnFor } from '../../schema/encode.js'
import { rawColumn } from '../../schema/names.js'
import type { TableSpec } from '../driver.js'
import { id, list } from './sql.js'

/** The name of the column that a field fills. */
export const columnOf = (columns: readonly Column[], field: string | undefined): string | undefined => columnFor(columns, field)?.name

/** How old a version is, as SQL over its cursor and its mark of deletion: a deletion is a version too. */
export const ageOf = ({ type }: Column, cursor: string, deletedAt: string): string =>
  type === 'timestamp' ? `greatest(${cursor}, ${deletedAt})` : cursor

/** As SQL over two ages: is `a` less than `b`, where both are known? */
export const isBefore = (a: string, b: string): string => `coalesce(${a} < ${b}, false)`
/** The same, where what does not say how old it is stands behind all that does. */
export const isBehind = (a: string, b: string): string => `coalesce(${a} < ${b}, ${a} IS NULL AND ${b} IS NOT NULL)`

/** Weir's own columns that every row has. */
export const ownNames = ['_weir_run_id', '_weir_loaded_at', '_weir_deleted_at', '_weir_seen_at'] as const
/** When a row of a table was read; what was written before that was noted is as old as its writing. */
export const readAt = (of?: string): string => {
  const at = of === undefined ? '' : `${of}.`
  return `coalesce(${at}_weir_seen_at, ${at}_weir_loaded_at)`
}
/** Was `t` read after `next`, so that of two versions of one age it is the one that stands? */
const isReadLater = (t: string, next: string) => `coalesce(${t}._weir_seen_at > ${next}._weir_seen_at, false)`

/** What every row says beside the vendor's columns, and where a batch's row has it from. */
export interface Parts {
  /** Quoted names of the vendor's columns, of `_weir_extra`, and of the raw record where it is kept. */
  all: string
  /** Quoted names of the key's columns. */
  keys: string
  key: readonly string[]
  /** Weir's own columns, and their values in the same order. */
  own: readonly string[]
  ownValues: readonly string[]
  /** Instant of deletion. */
  mark: string
  /** Of a key that is in the batch twice the newest version stands; of equally old ones a deletion, else the one read last. */
  newest: string
}

export function partsOf(spec: TableSpec, columns: readonly Column[]): Parts {
  const key = spec.key.map((field) => columnOf(columns, field)!)
  const deletedAt = columnOf(columns, spec.deletedAt)
  const cursor = columnFor(columns, spec.cursor)
  const mark = deletedAt ? `${id(deletedAt)}::timestamptz` : 'NULL::timestamptz'
  return {
    all: list([...columns.map(({ name }) => name), ...besides(spec)]),
    keys: list(key),
    key,
    own: ownNames,
    ownValues: ['_weir_run_id', 'now()', mark, '_weir_seen_at'],
    mark,
    newest: cursor ? `${ageOf(cursor, id(cursor.name), mark)} DESC NULLS LAST, ${mark} IS NULL, _weir_line DESC` : '_weir_line DESC',
  }
}

/** What a batch brings beside the vendor's columns. */
export const besides = ({ keepsRaw }: TableSpec): string[] => ['_weir_extra', ...(keepsRaw ? [rawColumn] : [])]

/** SET list that takes over everything of the row `excluded` but its key. */
export function assignments(spec: TableSpec, columns: readonly Column[], key: readonly string[]): string {
  const names = columns.map(({ name }) => name).filter((name) => !key.includes(name))
  return [...names, ...besides(spec), ...ownNames].map((name) => `${id(name)} = excluded.${id(name)}`).join(', ')
}

/**
 * Upsert by key into the table, where a newer version is never overwritten by an older one; or into a stage, which takes what
 * was read last: what a snapshot changes is known when it is whole.
 */
export function mergeStatement(spec: TableSpec, columns: readonly Column[], stage?: string): string {
  const { all, keys, key, own, ownValues, newest } = partsOf(spec, columns)
  const [target, order, guard] =
    stage === undefined
      ? [id(spec.schema, spec.table), newest, `WHERE ${newerWins(spec, columns, 'excluded')}`]
      : [id('_weir_stage', stage), '_weir_line DESC', `WHERE NOT ${isReadLater('t', 'excluded')}`]
  return `INSERT INTO ${target} AS t (${all}, ${own.join(', ')})
    SELECT DISTINCT ON (${keys}) ${all}, ${ownValues.join(', ')} FROM weir_batch ORDER BY ${keys}, ${order}
    ON CONFLICT (${keys}) DO UPDATE SET ${assignments(spec, columns, key)} ${guard}`
}

/**
 * May the row `next` take the place of `t`? A newer version does; an equally old one only if it differs and was not read before; a deletion
 * is a version like any other, so only a strictly newer one brings the row back. One that does not say how old it is gives way to all that do.
 */
function newerWins(spec: TableSpec, columns: readonly Column[], next: string): string {
  const cursor = columnFor(columns, spec.cursor)
  const changes = differs(spec, columns, next)
  const isOlder = isReadLater('t', next)
  if (cursor === undefined) {
    const [theirs, mine] = ['t._weir_deleted_at', `${next}._weir_deleted_at`]
    return `NOT ${isBefore(mine, theirs)} AND ${changes} AND (NOT ${isOlder} OR ${isBefore(theirs, mine)})`
  }
  const age = (of: string) => ageIn(cursor, of)
  const revives = `t._weir_deleted_at IS NOT NULL AND ${next}._weir_deleted_at IS NULL`
  return `NOT ${isBehind(age(next), age('t'))} AND ${changes} AND (NOT (${revives} OR ${isOlder}) OR ${isBehind(age('t'), age(next))})`
}

const ageIn = (cursor: Column, of: string) => ageOf(cursor, `${of}.${id(cursor.name)}`, `${of}._weir_deleted_at`)

/**
 * Finds what a merged batch holds that does not say how old it is, where the row that stands does, and says something else: which of
 * the two is newer cannot be told. Answers with places in the batch, from 0.
 */
export function undatedStatement(spec: TableSpec, columns: readonly Column[]): string | undefined {
  const cursor = columnFor(columns, spec.cursor)
  if (cursor === undefined) return undefined
  const { key, mark } = partsOf(spec, columns)
  const same = key.map((name) => `t.${id(name)} = b.${id(name)}`).join(' AND ')
  const but = columns.filter((column) => column !== cursor)
  return `SELECT b._weir_line - (SELECT min(_weir_line) FROM weir_batch) AS at
    FROM (SELECT *, ${mark} AS _weir_deleted_at FROM weir_batch WHERE ${id(cursor.name)} IS NULL) b JOIN ${id(spec.schema, spec.table)} t ON ${same}
    WHERE ${ageIn(cursor, 'b')} IS NULL AND ${ageIn(cursor, 't')} IS NOT NULL AND ${differs(spec, but, 'b')} ORDER BY 1`
}

/**
 * What a row says beside its key, as a list of columns, of `of` where it is named. Weir's own marks of run and time do not count,
 * nor does the raw record: what it says stands in the columns.
 */
export function saying(spec: TableSpec, columns: readonly Column[], of?: string): string {
  const told = columns.filter(({ field }) => !spec.key.includes(field))
  return [...told.map(({ name }) => name), '_weir_extra', '_weir_deleted_at']
    .map((name) => (of ? `${of}.${id(name)}` : id(name)))
    .join(', ')
}

/** Does the row `next` say anything else than `t`? */
export function differs(spec: TableSpec, columns: readonly Column[], next: string): string {
  const row = (of: string) => `ROW(${saying(spec, columns, of)})`
  return `(${row('t')} IS DISTINCT FROM ${row(next)} OR ${bringsRaw(spec, next)})`
}

/**
 * Does the row `next` bring the raw record that `t` lacks? It is filled in where rows are replaced; where each version is kept
 * it would be a version that says nothing new.
 */
function bringsRaw({ mode, keepsRaw }: TableSpec, next: string): string {
  if (!keepsRaw || mode === 'history' || mode === 'append') return 'false'
  return `(t.${rawColumn} IS NULL AND ${next}.${rawColumn} IS NOT NULL)`
}

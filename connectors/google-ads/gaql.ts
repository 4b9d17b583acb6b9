import type { FieldType, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import type { Columns } from './fields.js'

/** Google Ads' query language, and the rows that answer it. */
export interface Query {
  select: readonly string[]
  from: string
  where?: readonly string[]
  /** Fields that together are unique: without an order, a reading that goes on could not know where it was. */
  orderBy?: readonly string[]
  limit?: number
}

export function gaql({ select, from, where = [], orderBy = [], limit }: Query): string {
  return [
    `SELECT ${select.join(', ')} FROM ${from}`,
    where.length > 0 ? `WHERE ${where.join(' AND ')}` : '',
    orderBy.length > 0 ? `ORDER BY ${orderBy.join(', ')}` : '',
    limit === undefined ? '' : `LIMIT ${limit}`,
    // Else a resource name comes with every resource that a field stands in.
    'PARAMETERS omit_unselected_resource_names = true',
  ]
    .filter(Boolean)
    .join(' ')
}

/** Queries say `cost_micros`, answers `costMicros`. */
const camel = (path: string) => path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** A row's value of a field; what is unset or null has no key. */
export const cellOf = (row: Rec, path: string): unknown => at(row, camel(path))

/** The column of a field. Metrics and segments need no word before them, nor does what is the stream's own resource. */
export function nameOf(path: string, own?: string): string {
  const [resource = '', ...rest] = path.split('.')
  const isPlain = resource === 'metrics' || resource === 'segments' || resource === own
  return (isPlain ? rest : [resource, ...rest]).join('_')
}

/** Columns as the stream declares them. */
export const fieldsOf = (columns: Columns, own?: string) =>
  Object.fromEntries(Object.entries(columns).map(([path, type]: [string, FieldType]) => [nameOf(path, own), { type }]))

/** A nested row to a flat record. */
export function flatten(paths: readonly string[], own?: string): (row: Rec) => Rec {
  const named = paths.map((path) => [nameOf(path, own), camel(path)] as const)
  return (row) => {
    const flat: Rec = {}
    for (const [name, path] of named) {
      const value = at(row, path)
      if (value !== undefined) flat[name] = value
    }
    return flat
  }
}

import { distance } from 'fastest-levenshtein'
import { columnNamed, columnsOf, type QualityCheck, unfit } from '../core/quality.js'
import { type Column, columnFor } from '../schema/encode.js'
import type { Measure } from '../warehouse/driver.js'

/** A check against the table as it is: what must be measured for it, or why it cannot be made. One without either needs the number of rows only. */
export interface Planned {
  check: QualityCheck
  measure?: Measure
  problem?: string
}

export interface Table {
  columns: readonly Column[]
  /** Field whose value orders versions of a row. */
  cursor?: string | undefined
}

export const planChecks = (checks: readonly QualityCheck[], table: Table, now: Date): Planned[] =>
  checks.map((check) => ({ check, ...planned(check, table, now) }))

function planned(check: QualityCheck, { columns, cursor }: Table, now: Date): Omit<Planned, 'check'> {
  const names = check.check === 'freshness' && check.column === undefined ? (cursor === undefined ? [] : [cursor]) : columnsOf(check)
  if (check.check === 'freshness' && names.length === 0) return { problem: 'The stream has no cursor to be fresh by: name a column.' }
  const found: Column[] = []
  for (const name of names) {
    const column = columnNamed(columns, name)
    if (column === undefined) return { problem: `The table has no column ${quoted(name)}; nearest: ${nearest(name, columns).join(', ')}.` }
    const why = unfit(check, column.type)
    if (why !== undefined) return { problem: `Column ${quoted(name)} cannot be checked so: ${why}.` }
    found.push(column)
  }
  const measure = measureOf(check, found, now)
  return measure === undefined ? {} : { measure }
}

function measureOf(check: QualityCheck, columns: readonly Column[], now: Date): Measure | undefined {
  const [column] = columns
  if (column === undefined) return undefined
  switch (check.check) {
    case 'unique':
      return { kind: 'duplicates', columns }
    case 'not_null':
    case 'null_share':
      return { kind: 'nulls', columns }
    case 'accepted_values':
      return { kind: 'others', column, values: check.values }
    case 'range': {
      const { min, max } = check
      return { kind: 'outside', column, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
    }
    case 'freshness':
      return { kind: 'newest', column, until: now }
    default:
      return undefined
  }
}

const quoted = (name: string) => JSON.stringify(name.slice(0, 100))

/** Names of the table that are spelt most alike. */
function nearest(name: string, columns: readonly Column[]): string[] {
  const away = (other: string) => distance(name.toLowerCase(), other.toLowerCase())
  return columns
    .map((column) => ({ name: column.name, far: Math.min(away(column.name), away(column.field)) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map((one) => quoted(one.name))
}

/** Columns by which rows that fail are shown: the table's key, unless a part of it is an address or a number of a person. */
export function shownKey(key: readonly string[], columns: readonly Column[]): Column[] {
  const found = key.flatMap((field) => columnFor(columns, field) ?? [])
  return found.some(({ field }) => /mail|phone|mobile|msisdn/i.test(field)) ? [] : found
}

/** Samples without those whose key turns out to hold an address or a number after all. */
export const discreet = (samples: readonly Record<string, string>[]): Record<string, string>[] =>
  samples.filter((sample) => !Object.values(sample).some((value) => /@|^\+\d{6}/.test(value)))

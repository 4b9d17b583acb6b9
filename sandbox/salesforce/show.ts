/** How a record is written: as JSON by REST, as a line of CSV by Bulk. */

import type { Column, Found } from './find.js'
import { type Row, restInstant } from './rows.js'

type Json = Record<string, unknown>

/** Parents nest; what is null above is null as a whole. */
export function restRecord({ object, columns }: Pick<Found, 'object' | 'columns'>, row: Row, version: string): Json {
  const record: Json = { attributes: attributes(object.name, row.id, version) }
  for (const column of columns) {
    const steps = column.path.split('.')
    let at = record
    for (const step of steps.slice(0, -1)) {
      at[step] ??= { attributes: { type: step } }
      at = at[step] as Json
    }
    at[steps.length === 1 ? column.field.name : (steps.at(-1) as string)] = restValue(column, row)
  }
  return record
}

export const attributes = (type: string, id: string, version: string) => ({
  type,
  url: `/services/data/v${version}/sobjects/${type}/${id}`,
})

function restValue({ field: { type }, read }: Column, row: Row): unknown {
  const value = read(row)
  return type === 'datetime' && typeof value === 'number' ? restInstant(value) : value
}

/** Every value in quotes; null is an empty cell, and instants end in Z. */
export function csvLine(columns: readonly Column[], row: Row): string {
  return columns.map((column) => quoted(csvValue(column, row))).join(',')
}

export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

function csvValue({ field: { type }, read }: Column, row: Row): string {
  const value = read(row)
  if (value === null) return ''
  if (typeof value !== 'number') return String(value)
  if (type === 'datetime') return new Date(value).toISOString()
  // Numbers with fractions always show them, and large ones may come with an exponent.
  if (type === 'int') return String(value)
  return Math.abs(value) >= 1e7 ? exponent(value) : Number.isInteger(value) ? `${value}.0` : String(value)
}

const exponent = (value: number) =>
  value
    .toExponential()
    .replace('e+', 'E')
    .replace(/^(-?\d)E/, '$1.0E')

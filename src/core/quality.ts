/** Quality checks as a definition carries them, and what can be said of one without asking a database. Pure. */
import type { FieldType } from './types.js'

/** `warn` names a check that fails; `block` fails the stream's run. The rows stay loaded in both cases. */
export type Severity = 'warn' | 'block'

export type QualityCheck = { severity: Severity } & (
  | { check: 'unique' | 'not_null'; columns: readonly string[] }
  | { check: 'accepted_values'; column: string; values: readonly string[] }
  | { check: 'range'; column: string; min?: string; max?: string }
  | { check: 'null_share'; column: string; maxPercent: number }
  | { check: 'row_count_change'; maxPercent: number; against: 'same_weekday' | 'last' }
  /** Without a column: the stream's cursor. */
  | { check: 'freshness'; column?: string; maxMs: number }
  | { check: 'reconcile'; total: 'count'; tolerancePercent: number }
)

/** What a check may be about: a column of the table and the vendor's field that fills it. */
export interface CheckedColumn {
  field: string
  /** Where it takes of the field only the values of another type. */
  variant?: FieldType
  name: string
  type: FieldType
}

/** `not_null(email)`: the check in a few words. */
export function checkName(check: QualityCheck): string {
  const columns = columnsOf(check)
  return columns.length === 0 ? check.check : `${check.check}(${columns.join(', ')})`
}

/** The fields or columns that a check names. */
export function columnsOf(check: QualityCheck): readonly string[] {
  if ('columns' in check) return check.columns
  return 'column' in check && check.column !== undefined ? [check.column] : []
}

/** By the vendor's name, else by the column's. */
export const columnNamed = <C extends CheckedColumn>(columns: readonly C[], name: string): C | undefined =>
  columns.find(({ field, variant }) => field === name && variant === undefined) ?? columns.find((column) => column.name === name)

const types: Record<FieldType, string> = {
  text: 'text',
  bigint: 'whole numbers',
  numeric: 'numbers',
  double: 'numbers',
  boolean: 'true or false',
  timestamp: 'instants',
  date: 'dates',
  json: 'JSON',
}

/** Why this check cannot be made on a column of that type; undefined when it can. */
export function unfit(check: QualityCheck, type: FieldType): string | undefined {
  const holds = `it holds ${types[type]}`
  switch (check.check) {
    case 'range':
      if (['text', 'boolean', 'json'].includes(type)) return `${holds}, which has no order to check a range by`
      return misfit([check.min, check.max], type)
    case 'accepted_values':
      return type === 'json' ? `${holds}, which cannot be compared with values` : misfit(check.values, type)
    case 'freshness':
      return type === 'timestamp' || type === 'date' ? undefined : `${holds}, not instants or dates`
    default:
      return undefined
  }
}

function misfit(values: readonly (string | undefined)[], type: FieldType): string | undefined {
  const wrong = values.find((value) => value !== undefined && !fits[type](value))
  return wrong === undefined ? undefined : `it holds ${types[type]}, and ${JSON.stringify(wrong)} is none`
}

const isNumber = (text: string): boolean => /^-?\d{1,100}(\.\d{1,100})?$/.test(text)
/** A day that exists: another one would come back as its neighbour. */
const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)
const isInstant = (text: string): boolean =>
  isDay(text.slice(0, 10)) && /^.{10}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)

const fits: Record<FieldType, (text: string) => boolean> = {
  text: () => true,
  bigint: isNumber,
  numeric: isNumber,
  double: isNumber,
  boolean: (text) => text === 'true' || text === 'false',
  timestamp: isInstant,
  date: isDay,
  json: () => false,
}

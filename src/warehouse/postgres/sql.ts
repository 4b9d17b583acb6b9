import type { FieldType } from '../../core/types.js'

/** The one place where an identifier becomes SQL. `id('schema', 'table')` → `"schema"."table"`. */
export const id = (...parts: string[]): string => parts.map((part) => `"${part.replaceAll('\0', '').replaceAll('"', '""')}"`).join('.')

/** A text as SQL's own literal, where a parameter cannot stand. */
export const literal = (text: string): string => `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`

export const list = (names: readonly string[]): string => names.map((name) => id(name)).join(', ')

/** A column of Weir's own by which a mode tells rows apart. */
export interface IdentityColumn {
  name: string
  type: string
  isRequired: boolean
}

export const sqlType: Record<FieldType, string> = {
  text: 'text',
  bigint: 'bigint',
  numeric: 'numeric',
  double: 'double precision',
  boolean: 'boolean',
  timestamp: 'timestamptz',
  date: 'date',
  json: 'jsonb',
}

const fieldTypes: Record<string, FieldType> = {
  int8: 'bigint',
  int4: 'bigint',
  int2: 'bigint',
  numeric: 'numeric',
  float8: 'double',
  float4: 'double',
  bool: 'boolean',
  timestamptz: 'timestamp',
  date: 'date',
  jsonb: 'json',
  json: 'json',
}

/** What a column of the catalogue takes; a type that Weir never makes (a user changed it) is written as text. */
export const fieldTypeOf = (typname: string): FieldType => fieldTypes[typname] ?? 'text'

import { createHash } from 'node:crypto'

/** PostgreSQL cuts identifiers at 63 bytes without asking; so names are shortened here, where it can be seen. */
const maxBytes = 63
/** Columns that every table of PostgreSQL has. */
const systemColumns: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'])

/** Vendor's field name in snake_case: ASCII, lower case, never empty, never a `_weir_` name. May still be too long or taken. */
function snakeCase(field: string): string {
  const name = field
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^_+(?!weir_)|_+$/g, '')
  return name
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** Column of the record as it was read, kept beside its row. It is none of the vendor's fields, and no field is given its name. */
export const rawColumn = '_weir_raw'

/**
 * A name for a field that no other column of the table has: the snake_case form where that is free, fits and means something,
 * else a shortened one with a hash of the vendor's own name, so that it is the same in every run.
 */
export function columnName(field: string, taken: ReadonlySet<string>): string {
  const plain = snakeCase(field)
  const usable = plain !== '' && plain.length <= maxBytes && !plain.startsWith('_weir_') && !systemColumns.has(plain)
  if (usable && !taken.has(plain)) return plain
  const stem = (plain === '' ? 'field' : plain.replace(/^_weir_/, 'weir_')).slice(0, maxBytes - 9)
  // A field may be named as another's hash comes out.
  for (let salt = ''; ; salt += ' ') {
    const name = `${stem}_${hashOf(`${field}${salt}`)}`
    if (!taken.has(name)) return name
  }
}

/** A table's or stage's name out of parts, within 63 bytes. */
export function joinedName(...parts: string[]): string {
  const whole = parts.join('__')
  return Buffer.byteLength(whole) <= maxBytes ? whole : `${whole.slice(0, maxBytes - 9)}_${hashOf(whole)}`
}

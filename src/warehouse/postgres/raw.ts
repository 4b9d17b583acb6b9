import type { Column } from '../../schema/encode.js'
import { rawField } from '../../schema/names.js'
import type { TableSpec } from '../driver.js'
import { id } from './sql.js'

/** Columns that say what a row is. A raw record alone makes no row another one: what it says stands in the columns. */
export const telling = (columns: readonly Column[]): Column[] => columns.filter(({ field }) => field !== rawField)

/**
 * Does the row `next` bring the raw record that `t` lacks? It is filled in where rows are replaced; where each version is kept
 * it would be a version that says nothing new.
 */
export function bringsRaw({ mode }: TableSpec, columns: readonly Column[], next: string): string {
  const raw = columns.find(({ field }) => field === rawField)
  if (!raw || mode === 'history' || mode === 'append') return 'false'
  return `(t.${id(raw.name)} IS NULL AND ${next}.${id(raw.name)} IS NOT NULL)`
}

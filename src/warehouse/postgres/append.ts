import type { Column } from '../../schema/encode.js'
import type { TableSpec } from '../driver.js'
import { partsOf } from './merge.js'
import { type IdentityColumn, id, literal } from './sql.js'

/** Append keeps every version of a row; this column tells versions apart. */
export const versionColumn = '_weir_version'
export const appendColumns: readonly IdentityColumn[] = [{ name: versionColumn, type: 'text', isRequired: true }]

/**
 * What a version says, as one hash. Empty columns are left out, so that a column added later does not make old rows look new.
 * What parts them is doubled in texts, or two versions might read alike.
 */
export function versionOf(columns: readonly Column[]): string {
  const said = ({ name, type }: Pick<Column, 'name' | 'type'>) =>
    type === 'text' ? `replace(${id(name)}, chr(31), chr(31) || chr(31))` : `${id(name)}::text`
  const parts = [...columns, { name: '_weir_extra', type: 'json' as const }].map(
    (column) => `${literal(`${column.name}=`)} || ${said(column)}`,
  )
  return `md5(array_to_string(ARRAY[${parts.join(', ')}], chr(31)))`
}

/** Every version once: the same one read again changes nothing. */
export function appendStatement(spec: TableSpec, columns: readonly Column[]): string {
  const { all, keys, own, ownValues } = partsOf(spec, columns)
  return `INSERT INTO ${id(spec.schema, spec.table)} (${all}, ${own.join(', ')}, ${versionColumn})
    SELECT ${all}, ${ownValues.join(', ')}, ${versionOf(columns)} FROM weir_batch ORDER BY ${keys}, _weir_line
    ON CONFLICT (${keys}, ${versionColumn}) DO NOTHING`
}

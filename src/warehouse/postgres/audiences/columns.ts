import type pg from 'pg'
import type { AudienceDefinition, ModelDefinition } from '../../../core/audience.js'
import type { FieldType } from '../../../core/types.js'
import type { Column } from '../../../schema/encode.js'
import { onClient, subquery } from './model.js'

/** PostgreSQL's own types by their numbers, which never change; all others are read as text. */
const types: Record<number, FieldType> = {
  16: 'boolean',
  20: 'bigint',
  21: 'bigint',
  23: 'bigint',
  114: 'json',
  700: 'double',
  701: 'double',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamp',
  1700: 'numeric',
  3802: 'json',
}

/** What a model yields, without a row of it. */
export async function columnsOf(pool: pg.Pool, definition: AudienceDefinition, model: ModelDefinition): Promise<Column[]> {
  const { fields } = await onClient(definition, () => pool.query(`SELECT * FROM ${subquery(model)} AS model LIMIT 0`))
  return fields.map(({ name, dataTypeID }) => ({ name, field: name, type: types[dataTypeID] ?? 'text' }))
}

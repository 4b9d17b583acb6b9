import type { Connection } from '@temporalio/client'
import proto from '@temporalio/proto'
import { searchAttributes } from '../src/core/search-attributes.js'

const { temporal } = proto
const types = {
  KEYWORD: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_INT,
}

/** Weir's search attributes that the namespace does not know. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<(keyof typeof searchAttributes)[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  return (Object.keys(searchAttributes) as (keyof typeof searchAttributes)[]).filter((name) => !(name in (customAttributes ?? {})))
}

/** Makes Weir's search attributes known to the namespace; those that are there stay. A start that sets an unknown one fails. */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace)
  if (missing.length === 0) return
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, types[searchAttributes[name]]])),
  })
}

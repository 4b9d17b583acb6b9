import { type Connection, isGrpcServiceError } from '@temporalio/client'
import proto from '@temporalio/proto'
import { Failure } from '../src/core/failure.js'
import { searchAttributes } from '../src/core/search-attributes.js'

const { temporal } = proto
const types = {
  KEYWORD: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_INT,
}
/** As `tcloud` writes them. */
const words = { KEYWORD: 'Keyword', INT: 'Int' }
/** gRPC's codes of a server that does not let us: permission denied, unimplemented. */
const refusals: readonly number[] = [7, 12]

/** Weir's search attributes that the namespace does not know; undefined where this Temporal does not let us look. */
export async function missingSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<(keyof typeof searchAttributes)[] | undefined> {
  const known = await connection.operatorService.listSearchAttributes({ namespace }).catch(allowRefusal)
  return (
    known &&
    (Object.keys(searchAttributes) as (keyof typeof searchAttributes)[]).filter((name) => !(name in (known.customAttributes ?? {})))
  )
}

/**
 * Makes Weir's search attributes known to the namespace; those that are there stay. A start that sets an unknown one fails.
 * @throws Failure `permission` where the server leaves that to its own tool, as Temporal Cloud does: the message has its command
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  // Who may not even look learns from the first start what is missing.
  const missing = (await missingSearchAttributes(connection, namespace)) ?? []
  if (missing.length === 0) return
  const added = await connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing.map((name) => [name, types[searchAttributes[name]]])) })
    .catch(allowRefusal)
  if (added !== undefined) return
  const flags = missing.map((name) => `--search-attribute "${name}=${words[searchAttributes[name]]}"`).join(' ')
  throw new Failure(
    'permission',
    `The namespace ${namespace} lacks search attributes, and this Temporal does not let Weir add them. On Temporal Cloud: tcloud namespace search-attributes add --namespace ${namespace} ${flags}`,
  )
}

function allowRefusal(error: unknown): undefined {
  if (isGrpcServiceError(error) && refusals.includes(error.code)) return undefined
  throw error
}

/** What Salesforce says of single rows. */
import { type Outcome, type Outgoing, refused } from '../../../src/core/audience.js'
import { Failure } from '../../../src/core/failure.js'
import type { Value } from '../../../src/core/types.js'

export interface RowError {
  code: string
  message: string
  fields: readonly string[]
}
/** The record's id, or why there is none. */
export type RowResult = { id: string } | RowError
export const isRefused = (result: RowResult): result is RowError => 'code' in result

/** It may go well at another moment, or beside other rows. */
const passing: ReadonlySet<string> = new Set([
  'UNABLE_TO_LOCK_ROW',
  'SERVER_UNAVAILABLE',
  'REQUEST_RUNNING_TOO_LONG',
  'TOO_MANY_APEX_REQUESTS',
  'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  'PROCESSING_HALTED',
])
export const mayPass = (result: RowResult): boolean => isRefused(result) && passing.has(result.code)

/** It is not the row that is wrong, but rights or the org. */
const ofTheOrg: ReadonlySet<string> = new Set([
  'INVALID_FIELD_FOR_INSERT_UPDATE',
  'INSUFFICIENT_ACCESS_OR_READONLY',
  'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
  'STORAGE_LIMIT_EXCEEDED',
])

/** Outcomes by member; of those that have no result nothing is known. @throws Failure `permission` where all were refused for one right */
export function outcomesOf(members: readonly Outgoing[], results: ReadonlyMap<string, RowResult>): Outcome[] {
  stopWhereAlike(members, results)
  return members.map((member) => {
    const { ref } = member
    const result = results.get(ref)
    if (!result) return refused(ref, 'Salesforce named it nowhere.')
    return isRefused(result) ? refused(ref, saidOf(result, member)) : { ref, vendorId: result.id }
  })
}

function stopWhereAlike(members: readonly Outgoing[], results: ReadonlyMap<string, RowResult>): void {
  const all = members.map(({ ref }) => results.get(ref))
  const [first] = all
  if (!first || !isRefused(first) || !ofTheOrg.has(first.code)) return
  if (!all.every((result) => result && isRefused(result) && result.code === first.code)) return
  throw new Failure(
    'permission',
    `Salesforce refused all ${all.length} rows alike: ${saidOf(first, members[0]!)} Ask the org’s administrator.`,
    {
      code: first.code,
    },
  )
}

/** Salesforce quotes the values that it refuses, and other people's too: what is said goes on without them. */
function saidOf({ code, message, fields }: RowError, { identifiers, fields: sent }: Outgoing): string {
  const values = [...Object.values(identifiers), ...leaves(sent)].filter((value) => value.length > 2).sort((a, b) => b.length - a.length)
  let said = message
  for (const value of values) said = said.replaceAll(value, '…')
  said = said
    .replace(/\S+@\S+/g, '…')
    .replace(/\+?\d[\d ()/-]{6,}\d/g, '…')
    .slice(0, 300)
  return `${code}: ${said}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}`
}

function leaves(value: Value): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value as Record<string, Value>).flatMap(leaves) : []
}

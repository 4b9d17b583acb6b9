/** A failure in the columns `failure_reason` and `failure_message`. */
import type { FailureNote } from '../../core/activities.js'

const longest = 4_000

export const failureOf = (row: { failure_reason?: unknown; failure_message?: unknown }): { failure?: FailureNote } =>
  row.failure_reason == null ? {} : { failure: { reason: String(row.failure_reason), message: String(row.failure_message ?? '') } }

/** Reason and message for those columns. */
export const failureValues = (failure: FailureNote | undefined): [string | null, string | null] => [
  failure?.reason ?? null,
  failure?.message.slice(0, longest) ?? null,
]

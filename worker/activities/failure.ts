import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common'
import { asFailure } from '../../src/core/failure.js'
import type { Redact } from '../../src/observe/redact.js'

/** Histories are kept and shown: messages stay short. */
const longest = 2_000

/** Ours into Temporal's: the one place. The reason becomes the type; what nobody can mend by waiting is not retried. */
export function toTemporal(error: unknown, redact: Redact): Error {
  if (error instanceof CancelledFailure) return error
  const failure = asFailure(error)
  const isBenign = failure.reason === 'throttled' || failure.reason === 'fenced'
  const translated = ApplicationFailure.create({
    message: redact(failure.message).slice(0, longest),
    type: failure.reason,
    nonRetryable: failure.isFinal,
    ...(isBenign ? { category: ApplicationFailureCategory.BENIGN } : {}),
  })
  // The stack says where in our code; the cause may hold a vendor's body, so it stays out.
  if (failure.stack !== undefined) translated.stack = redact(failure.stack).slice(0, longest)
  return translated
}

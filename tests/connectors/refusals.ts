import type { Reason } from '../../src/core/failure.js'

/** A refusal as the vendor words it, what Weir takes it for, and what a person must find in the message. */
export type Refusal = readonly [status: number, body: unknown, reason: Reason, says?: string]

/** What a connector's `refusals.ts` gives. */
export interface Refusals {
  /** Of a connection, as far as a request needs them. */
  settings: Record<string, unknown>
  /** Where the settings say that the API is, if not at the vendor's origin. */
  origin?: string
  refusals: readonly Refusal[]
}

/** Dead letters, and their replay. */
import type { LetterFilter, LetterKind, LetterStatus } from '../../core/activities.js'
import type { Slice } from '../../core/types.js'
import type { BatchCommit } from './slices.js'
import type { StreamRef } from './streams.js'

export interface Letter {
  kind: LetterKind
  reason: string
  message: string
  /** The record's key, where it has one; the name of a slice. */
  recordKey?: string
  /** How old the version says that it is: an ISO 8601 instant. */
  versionAt?: string
  /** When it was read, by the warehouse's clock, where it is not met just now: as the database reads it. */
  readAt?: string
  /** JSON text, whole. */
  payload: string
  /** Is the payload as the vendor shows it, since it could not be made a flat record? */
  isRaw?: boolean
}

/** A dead letter as it is listed: never its payload. Instants are ISO 8601. */
export interface LetterRow extends StreamRef {
  id: string
  kind: LetterKind
  reason: string
  message: string
  key?: string
  slice?: string
  run: string
  attempts: number
  status: LetterStatus
  firstSeenAt: string
  lastSeenAt: string
  closedAt?: string
  isRaw: boolean
  /** Fingerprint of the key that its payload is sealed with. */
  sealedBy?: string
}

/** An open letter taken up for replay. */
export interface OpenLetter {
  id: string
  kind: LetterKind
  key?: string
  /** JSON text, opened and whole. */
  payload: string
  isRaw: boolean
  /** When what it holds was met first, as the database writes it: the age of the record. */
  seenAt: string
  /** Changes when the letter is met again. */
  version: string
}

export type LetterRef = Pick<OpenLetter, 'id' | 'version'>

/** What became of a letter in a replay. */
export interface ReplayOutcome {
  id: string
  key?: string
  outcome: 'loaded' | 'unchanged' | 'failed' | 'reopened'
  /** Why it failed again. */
  message?: string
}

export interface LetterStore {
  /** How many fit, by stream and kind. */
  count: (filter: LetterFilter) => Promise<(StreamRef & { kind: LetterKind; letters: number })[]>
  /** Those that fit, the one met last first. */
  list: (filter: LetterFilter, limit: number) => Promise<LetterRow[]>
  /** One letter with its payload as JSON text; throws `config` where the key that sealed it is not the one that is set. */
  get: (id: string) => Promise<(LetterRow & { payload: string }) | undefined>
  /** Closes the open ones that fit; answers with how many. */
  discard: (filter: LetterFilter) => Promise<number>
  /** Throws `config` when there is no key to seal payloads with. */
  requireKey: () => Promise<void>
  /** Open letters of a stream that fit, in the order of their ids, from after `after`; as many as memory bears. */
  open: (ref: StreamRef, filter: LetterFilter, page: { after: string | undefined; limit: number }) => Promise<OpenLetter[]>
  /**
   * Loads letters again: line i of the batch is what letter i holds. Each is closed in the transaction of its effect; one that is
   * closed or was met again meanwhile is left alone.
   */
  replay: (batch: BatchCommit, letters: readonly OpenLetter[]) => Promise<void>
  /** Notes that letters failed again, and why. */
  failAgain: (ref: StreamRef & { run: string }, letters: readonly (LetterRef & { message: string })[]) => Promise<void>
  /**
   * Opens the slice of a letter again, so that the next run of its stream reads it, or the backfill that met it when it goes on; what
   * loads it closes the letter.
   */
  reopen: (ref: StreamRef & { run: string }, letter: LetterRef, slice: Slice) => Promise<void>
  /** What a replay did: counts of all, and at most `limit` letters one by one. */
  outcomes: (
    ref: StreamRef & { run: string },
    limit: number,
  ) => Promise<{ counts: Record<ReplayOutcome['outcome'], number>; letters: ReplayOutcome[] }>
  /** Deletes closed letters older than `closedMs`, and open ones not met for `openMs`, if given. */
  sweep: (ref: StreamRef, age: { closedMs: number; openMs?: number | undefined }) => Promise<void>
}

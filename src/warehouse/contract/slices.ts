/** Slices in work: who holds one, and what it commits. */
import type { FailureNote } from '../../core/activities.js'
import type { Counts, Resume, Slice, Used } from '../../core/types.js'
import type { Segment } from '../../schema/lines.js'
import type { Letter } from './letters.js'
import type { Wait } from './runs.js'
import type { SliceOwner } from './streams.js'
import type { OpenTable } from './tables.js'

/** A slice's checkpoint as claimed by one attempt. Only the newest claim can commit. */
export interface Claim extends SliceOwner {
  slice: Slice
  key: string
  epoch: number
  /** When it was claimed, by the warehouse's clock. */
  claimedAt: Date
  run: string
  resume?: Resume | undefined
  reached?: string | undefined
  isFinished: boolean
  /** Two halves have taken its place. */
  isHalved?: boolean
  counts: Counts
  /** Claims of this run since its last commit, this one included. */
  idleClaims: number
  lastFailure?: string | undefined
}

/**
 * `dead_letter`: set aside, the watermark passes it. `refused`: its parent is closed to us, and its range is read again. `halved`: two
 * smaller ones have taken its place.
 */
export type SliceState = 'open' | 'finished' | 'dead_letter' | 'refused' | 'halved'

/** How far a slice has come: where to go on, and the cursor value up to which rows are committed. */
export interface Position {
  resume?: Resume
  reached?: string
}

export interface BatchCommit {
  claim: Claim
  table: OpenTable
  rows: number
  /** The rows as lines of COPY text. */
  segments: readonly Segment[]
  /** Says one of the rows that the vendor deleted it? */
  hasDeletions: boolean
  /** Are payloads of letters to be sealed? */
  encrypt?: boolean
  letters: readonly Letter[]
  /** Records read since the last commit. */
  read: number
  used: Used
  position: { resume?: Resume | undefined; reached?: string | undefined }
  isLast: boolean
}

export interface SliceStore {
  /**
   * Takes a slice for the attempt that was called for at `attemptAt`; of two attempts of a run the one called for later keeps it.
   * @throws Failure `fenced`: a later attempt holds it; final where it is planned no more
   */
  claim: (ref: SliceOwner & { run: string; key: string; owner: string; attemptAt: Date }) => Promise<Claim>
  /** Rows, dead letters, counts and checkpoint in one transaction; throws `fenced` when a newer claim exists. */
  commit: (batch: BatchCommit) => Promise<Counts>
  /**
   * The attempt ends in good order (a wait, a hand-over): it no longer counts as one without progress.
   * @param used what it used since its last commit: that is counted, though nothing came of it
   */
  release: (claim: Claim, used: Used, wait?: Wait) => Promise<void>
  /** What an open slice waits for while its attempt goes on: for people. */
  waits: (slice: SliceOwner & { run: string; key: string }, wait: Wait) => Promise<void>
  /** What an attempt ended with, for the message of the attempt that gives up. */
  note: (claim: Claim, failure: FailureNote) => Promise<void>
  /** Sets the whole slice aside, with a dead letter. Nothing that it gathered takes a place. */
  setAside: (claim: Claim, letter: Letter, state: 'dead_letter' | 'refused') => Promise<void>
  /** Puts two open slices in a slice's place; the first takes its counts on, and what it had gathered is dropped. One transaction. */
  halve: (claim: Claim, halves: readonly [Slice, Slice]) => Promise<void>
}

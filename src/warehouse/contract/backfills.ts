/** Backfills: ranges of streams that people asked for, read beside the live sync. */
import type { FailureNote, RunStatus } from '../../core/activities.js'
import type { BackfillStatus, StreamProgress } from '../../core/backfill.js'
import type { Counts, Slice } from '../../core/types.js'
import type { StreamRunRow } from './runs.js'

export type { BackfillStatus } from '../../core/backfill.js'

/** A backfill as it stands now. Instants are ISO 8601 in UTC. */
export interface BackfillRow {
  id: string
  sync: string
  streams: string[]
  /** Inclusive. */
  from: string
  /** Exclusive. */
  to: string
  status: BackfillStatus
  createdAt: string
  createdBy: string
  finishedAt?: string
  /** `failed` ones were set aside, or are closed to us; they are not among the done ones. */
  slices: { total: number; done: number; failed: number }
  read: number
  loaded: number
  unchanged: number
  deadLetters: number
  requests: number
  /** When it will be done, by what it took so far; undefined while nothing can be said, or once it has ended. */
  endsAt?: string
  failure?: FailureNote
}

/** What it reads by, beside its range. */
export interface BackfillDetail extends BackfillRow {
  /** Hash in `_weir.definitions`. */
  definition: string
  sliceDays?: number
  parallel?: number
  perStream: StreamProgress[]
}

export interface BackfillStart extends Pick<BackfillDetail, 'id' | 'sync' | 'definition' | 'streams' | 'from' | 'to' | 'createdBy'> {
  run: string
  /** Id of the workflow that runs it. */
  workflow?: string | undefined
  sliceDays?: number | undefined
  parallel?: number | undefined
  /** What a request takes at its share of the budget, in milliseconds. */
  requestMs?: number | undefined
}

/** A stream of a run of a backfill. */
export interface BackfillRef {
  backfill: string
  sync: string
  stream: string
  run: string
}

export interface BackfillStore {
  /** Newest first. @param filter.isOpen only those that have not ended */
  list: (filter: { sync?: string; isOpen?: true; limit?: number }) => Promise<BackfillRow[]>
  get: (id: string) => Promise<BackfillDetail | undefined>
  /**
   * Notes a backfill and its run, once. One that has ended without being complete goes on: what was set aside is opened again.
   * @throws Failure `config` while another one reads some of the same
   */
  start: (backfill: BackfillStart) => Promise<void>
  /**
   * Writes down the slices of a stream, once a run; those that are known stay as they are.
   * @param gathersAnew slices begun by an earlier run start over: what they gathered is of another moment
   */
  plan: (ref: BackfillRef, slices: readonly Slice[], gathersAnew: boolean) => Promise<void>
  /** How far a stream is, by what is settled of it, and how its run ended if it did. */
  progress: (ref: BackfillRef) => Promise<{ progress: StreamProgress; ended?: StreamRunRow }>
  /** Notes that it is paused, or goes on. Nothing is changed of one that has ended. */
  mark: (id: string, status: 'running' | 'paused') => Promise<void>
  /** Settles a stream's run: counts summed and checked, stages dropped. No watermark is moved. A repeat answers as the first. */
  finishStream: (
    ref: BackfillRef,
    status: (counts: Counts, letters: number) => { status: RunStatus; failure?: FailureNote },
  ) => Promise<StreamRunRow>
  /** Repeats harmlessly: the first end stands. */
  finish: (id: string, status: BackfillStatus, failure?: FailureNote) => Promise<void>
}

/** Backfills: ranges of streams that people asked for, read beside the live sync. */
import type { FailureNote } from '../../core/activities.js'

export type BackfillStatus = 'running' | 'paused' | 'completed' | 'completed_with_dead_letters' | 'failed' | 'cancelled'

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
  /** When it will be done, by what it took so far; undefined while nothing can be said, or once it has ended. */
  endsAt?: string
  failure?: FailureNote
}

export interface BackfillStore {
  /** Newest first. */
  list: (filter: { sync?: string; limit: number }) => Promise<BackfillRow[]>
}

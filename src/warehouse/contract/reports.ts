/** What runs tell of themselves, out of the views that people query too: `_weir.run_report`, `stream_report`, `stream_status`. */
import type { Pause } from '../../core/pause.js'
import type { Counts } from '../../core/types.js'
import type { ChangeRow } from './changes.js'
import type { RunRow, StreamRunRow, Wait } from './runs.js'

/** What a run and a stream of it have in common. Counts are those of what is committed so far. */
interface Reported extends Counts {
  seconds: number
  /** What is waited for now; of a run, its stream that goes on first. */
  wait?: Wait
  schemaChanges: number
  checks: number
  failedChecks: number
  /** Of a failure: whose move it is, and the command that leads on. */
  acts?: string
  next?: string
}

export interface RunReport extends RunRow, Reported {
  /** Id of its workflow; runs of older versions have none. */
  workflow?: string
  streams: number
  streamsDone: number
  pause?: Pause
}

export interface StreamReport extends StreamRunRow, Reported {
  /** Requests answered, by the vendor's budget that they counted against. */
  spent: Record<string, number>
}

/** A stream's newest run, and how the stream stands. */
export interface StreamStatus extends StreamReport {
  /** ISO instant: everything before it is there. Streams without a cursor have none. */
  completeUpTo?: string
  /** ISO instant of the end of the last run that completed. */
  lastCompletedAt?: string
  openSlices: number
  openDeadLetters: number
  pendingChanges: number
}

/** What the runs that started on one day (UTC) did. */
export interface DayReport {
  sync: string
  /** 2026-11-27 */
  day: string
  runs: number
  failed: number
  loaded: number
  deadLetters: number
}

/** What an account has spent of a budget; the account by its fingerprint. */
export interface BudgetReport {
  vendor: string
  account: string
  budget: string
  /** Requests that still count, by the length of the window in milliseconds, and how many the window holds. */
  windows: { perMs: number; used: number; most?: number }[]
  underWay: number
  /** ISO instant: the vendor said to wait until then. */
  pausedUntil?: string
  updatedAt: string
}

export interface LettersOfReason {
  sync: string
  stream: string
  reason: string
  letters: number
  lastSeenAt: string
}

/** All that the status page shows, as it was at one instant. */
export interface Overview {
  /** ISO instant, of the warehouse's clock. */
  at: string
  /** Sync → how it was connected by its newest run. */
  syncs: Record<string, { connection: string; vendor: string; schema: string }>
  statuses: StreamStatus[]
  runs: RunReport[]
  days: DayReport[]
  budgets: BudgetReport[]
  letters: LettersOfReason[]
  /** Schema changes that wait for a decision. */
  pending: ChangeRow[]
}

export interface ReportStore {
  /** Newest first. @param filter.run the beginning of a run's id; @param filter.isOpen only those that have not ended by their rows */
  runs: (filter: { sync?: string; run?: string; isOpen?: true; limit?: number }) => Promise<RunReport[]>
  /** What a run met last, of any status, by stream and reason. */
  lettersOf: (run: string) => Promise<LettersOfReason[]>
  /** Streams of a run as they stand now, counts of what is committed included. */
  streams: (run: string) => Promise<StreamReport[]>
  /** The newest run of each stream of each sync; backfills left out. */
  statuses: () => Promise<StreamStatus[]>
  /** One read-only transaction; a query that takes longer than `withinMs` ends it. @throws Failure `transient` then */
  overview: (limits: { days: number; runs: number; withinMs: number }) => Promise<Overview>
}

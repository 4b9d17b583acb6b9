/** Backfills: what a person asks for, what the workflow asks of the worker, and when it will be done. */
import type { FailureNote, RunStatus, SlicePlan, Timing } from './activities.js'

export type BackfillStatus = 'running' | 'paused' | 'completed' | 'completed_with_dead_letters' | 'failed' | 'cancelled'

export interface BackfillInput {
  id: string
  sync: string
  /** Hash in `_weir.definitions`: it is read by this one to its end, whatever is applied meanwhile. */
  definition: string
  streams: string[]
  /** ISO 8601 in UTC; `from` inclusive, `to` exclusive. */
  from: string
  to: string
  /** Who asked for it. */
  by: string
  /** Length of a slice; without it as the stream's own. */
  sliceDays?: number
  /** Slices read at once, of all streams together. */
  parallel?: number
  /** Carried on when the history begins anew. */
  isPaused?: boolean
  /** Begin the history anew after so many slices; without it when Temporal suggests to. */
  slicesPerHistory?: number
}

/** What `pause` and `resume` take, from the command line or the Temporal UI. */
export interface BackfillOrder {
  by?: string
}

export interface BackfillStep extends BackfillInput {
  /** All executions of one start are one run. */
  run: string
}
export interface BackfillStreamStep extends BackfillStep {
  stream: string
}

export interface BackfillPlan {
  vendor: string
  parallel: number
  timing?: Timing
}

/** A stream's slices, and what those that are settled brought. `failed` were set aside or are closed to us. */
export interface StreamProgress {
  stream: string
  total: number
  done: number
  failed: number
  read: number
  loaded: number
  unchanged: number
  deadLetters: number
}

export interface BackfillSlices extends SlicePlan {
  progress: StreamProgress
  /** When the whole backfill will be done, as far as can be said. */
  endsAt?: string
  /** The stream's run has ended: nothing is left to do. */
  ended?: { status: RunStatus; failure?: FailureNote }
}

/** Bulk work: queue `weir`. Slices are read, and streams and the run finished, by the live sync's own activities. */
export interface BackfillActivities {
  startBackfill: (input: BackfillStep) => Promise<BackfillPlan>
  /** Plans a stream, once a run, and names the slices that are still to do. */
  planBackfill: (input: BackfillStreamStep) => Promise<BackfillSlices>
  markBackfill: (input: { id: string; status: 'running' | 'paused' }) => Promise<void>
  finishBackfill: (input: { id: string; status: BackfillStatus; failure?: FailureNote }) => Promise<void>
}

/** Do two backfills of one sync read some of the same? */
export const overlaps = (
  a: Pick<BackfillInput, 'sync' | 'streams' | 'from' | 'to'>,
  b: Pick<BackfillInput, 'sync' | 'streams' | 'from' | 'to'>,
): boolean => a.sync === b.sync && a.from < b.to && b.from < a.to && a.streams.some((stream) => b.streams.includes(stream))

/** How far a backfill is, and what it took. */
export interface Pace {
  total: number
  /** Done or set aside. */
  settled: number
  requests: number
  /** Time that it worked: pauses left out. */
  activeMs: number
  /** What a request takes at its share of the budget while live syncs use theirs. */
  requestMs?: number | undefined
}

/** So many slices say how long the others will take. */
const tellingSlices = 10

/**
 * How long what is left will take, in milliseconds: at the pace so far, which the live syncs' use of the budget is part of. While few
 * slices are done it is no less than their requests take at the backfill's share of the budget. Undefined before the first is done.
 */
export function leftMs({ total, settled, requests, activeMs, requestMs }: Pace): number | undefined {
  const left = total - settled
  if (left <= 0) return 0
  if (settled === 0) return undefined
  const byPace = (left * activeMs) / settled
  const byBudget = (left * requests * (requestMs ?? 0)) / settled
  return settled >= Math.min(tellingSlices, total / 2) ? byPace : Math.max(byPace, byBudget)
}

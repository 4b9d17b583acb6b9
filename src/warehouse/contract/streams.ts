/** A stream of a sync: what of it is planned, and how its run ends. */
import type { FailureNote, RunStatus } from '../../core/activities.js'
import type { Counts, Slice } from '../../core/types.js'
import type { StreamRunRow } from './runs.js'
import type { SliceState } from './slices.js'
import type { Watermark } from './state.js'
import type { TableSpec } from './tables.js'

/** Which stream of which sync. */
export interface StreamRef {
  sync: string
  stream: string
}

/** Whose slices: the live sync's, or those of a backfill of it. */
export interface SliceOwner extends StreamRef {
  backfill?: string | undefined
}

/** Slices known of a stream's time passes: what is unfinished, and how far planning has come. */
export interface Progress {
  watermarks: Watermark[]
  /** Checkpoints left by earlier runs. */
  left: { slice: Slice; key: string; state: SliceState }[]
}

export interface PlanningStore {
  progress: (ref: StreamRef) => Promise<Progress>
  /** Records the plan of a run once: later calls of the same run change nothing. Slices left by other runs that are not named are forgotten. */
  record: (
    ref: StreamRef & { run: string },
    plan: { slices: readonly Slice[]; forget: readonly string[]; watermarks: readonly Watermark[]; reset: boolean },
  ) => Promise<void>
  isPlanned: (ref: StreamRef & { run: string }) => Promise<boolean>
  /** Unfinished slices, oldest first. */
  open: (ref: SliceOwner & { run: string }, limit: number) => Promise<{ key: string; slice: Slice }[]>
}

export interface StreamStore {
  /** Settles a stream's run: makes a replaced table equal to its snapshot, moves watermarks, sums counts; all in one transaction, once. */
  finish: (
    ref: StreamRef & { run: string },
    outcome: {
      table: TableSpec
      /** Failed or cancelled: what was gathered for a snapshot takes nobody's place. */
      endedEarly: boolean
      /** Why a snapshot must not take the table's place, if so; nothing is changed then. */
      hold: (snapshot: { before: number; after: number; setAside: number }) => FailureNote | undefined
      status: (counts: Counts, letters: number) => { status: RunStatus; failure?: FailureNote }
    },
  ) => Promise<StreamRunRow>
}

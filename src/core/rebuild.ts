/** What the rebuild of a table asks of the worker. Types only; a new field is optional while old histories run. */
import type { FailureNote, RunStatus, Timing } from './activities.js'

export interface RebuildInput {
  sync: string
  /** Hash in `_weir.definitions`. */
  definition: string
  stream: string
  /** Count what would change, and change nothing. */
  dryRun?: boolean
}

export interface RebuildStep extends RebuildInput {
  run: string
}

export interface RebuildCounts {
  /** Rows looked at. */
  examined: number
  /** Rows that came out differently and were written. */
  rewritten: number
  /** Rows that hold no raw record: nothing is known of them but what they say. */
  withoutRaw: number
  /** Raw records that could not be typed; their rows stay as they were. */
  deadLetters: number
}

export interface RebuildReceipt extends RebuildCounts {
  status: RunStatus
  failure?: FailureNote
}

/** Bulk work: queue `weir`. */
export interface RebuildActivities {
  startRebuild: (input: RebuildStep) => Promise<{ timing?: Timing }>
  /** Works for some minutes; `more` says to call again. */
  rebuildRows: (input: RebuildStep) => Promise<RebuildCounts & { more?: boolean }>
  finishRebuild: (input: RebuildStep & { failure?: FailureNote; cancelled?: boolean }) => Promise<RebuildReceipt>
}

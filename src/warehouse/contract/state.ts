/** How far streams have come, and how they came there. */
import type { Slice } from '../../core/types.js'
import type { Position, SliceState } from './slices.js'
import type { StreamRef } from './streams.js'

export interface CheckpointRow extends StreamRef {
  slice: string
  bounds: Slice
  state: SliceState
  position: Position | null
  run: string
  createdAt: string
  updatedAt: string
}

/** A stream's whole state, as an import or a rollback puts it in place. */
export interface StreamState {
  stream: string
  watermarks: readonly Watermark[]
  slices: readonly { slice: Slice; state: CheckpointRow['state']; position: Position | null }[]
}

/** One pass of a stream, or one parent in it, each time that its state was settled or changed by hand. Instants are ISO 8601 in UTC. */
export interface StateEntry extends StreamRef {
  pass: string
  parent?: string
  /** `found` is what stood when the history began. */
  kind: 'found' | 'run' | 'reset' | 'import' | 'rollback'
  /** The run that settled it; of a rollback, the run that it went back to. */
  run?: string
  who?: string
  /** The watermark as the entry before left it; without one nothing was complete. */
  before?: string
  after?: string
  /** Slices that were done and left, and those that stayed open. */
  settled: number
  leftOpen: number
  rowsWritten: number
  at: string
}

export interface Watermark {
  pass: string
  /** Where each parent has one of its own. */
  parent?: string
  watermark: string
}

export interface StateStore {
  read: (ref: {
    sync: string
    stream?: string
  }) => Promise<{ checkpoints: CheckpointRow[]; watermarks: (StreamRef & Watermark & { updatedAt: string })[] }>
  /** Newest first. */
  history: (filter: { sync: string; stream?: string; run?: string; limit: number }) => Promise<StateEntry[]>
  /** Forgets checkpoints and watermarks: the next run reads everything. Attempts that hold a slice can no longer commit. */
  reset: (ref: { sync: string; stream?: string; who?: string }) => Promise<number>
  /** Puts these in place of what the named streams have, in one transaction. Attempts that hold a slice of them can no longer commit. */
  replace: (
    change: { sync: string; kind: 'import' | 'rollback'; run?: string; who?: string },
    states: readonly StreamState[],
  ) => Promise<void>
}

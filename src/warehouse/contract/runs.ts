/** Runs of syncs and of their streams. */
import type { FailureNote, RunKind, RunStatus } from '../../core/activities.js'
import type { WaitsFor } from '../../core/failure.js'
import type { Counts } from '../../core/types.js'

export interface RunRow {
  run: string
  sync: string
  definition: string
  kind: RunKind
  /** The backfill whose run it is. */
  backfill?: string
  status: RunStatus
  startedAt: string
  finishedAt?: string
  failure?: FailureNote
  /** What will need a person before long. */
  warnings: readonly string[]
}

/** Until when nothing is asked for, and why. */
export interface Wait {
  /** ISO instant. */
  until: string
  for: WaitsFor
}

export interface StreamRunRow extends Counts {
  run: string
  sync: string
  stream: string
  status: RunStatus
  startedAt: string
  finishedAt?: string
  failure?: FailureNote
  /** While it runs: what it waits for longest. */
  wait?: Wait
}

export interface RunStore {
  start: (run: {
    run: string
    sync: string
    definition: string
    kind: RunKind
    /** Id of the workflow that runs it. */
    workflow?: string | undefined
    backfill?: string
    warnings?: readonly string[]
  }) => Promise<void>
  /** Repeats harmlessly: the first end stands. Answers with how long the run took, in seconds; a repeat with nothing. */
  finish: (run: string, status: RunStatus, counts: Counts, failure?: FailureNote) => Promise<number | undefined>
  list: (filter: { sync?: string; limit: number }) => Promise<(RunRow & Counts)[]>
  streams: (run: string) => Promise<StreamRunRow[]>
}

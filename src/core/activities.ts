/** What workflows may ask of the worker, and the receipts that come back. Types only; a new field is optional while old histories run. */
import type { WaitsFor } from './failure.js'
import type { Pause } from './pause.js'
import type { Counts } from './types.js'

/** `dependent`: started at the end of another sync's run that it waits for (`after`). */
export type RunKind = 'scheduled' | 'manual' | 'dependent' | 'backfill' | 'replay'
/** The same words in `WeirStatus`, `_weir.runs` and the CLI. */
export type RunStatus =
  | 'running'
  | 'waiting'
  | 'paused'
  | 'completed'
  | 'completed_with_dead_letters'
  | 'partial'
  | 'failed'
  | 'cancelled'
  | 'skipped'

/** What a run is about: names and a hash, never a definition's body. */
export interface RunInput {
  sync: string
  /** Hash in `_weir.definitions`. */
  definition: string
  kind: RunKind
  /** Only these streams. */
  streams?: string[]
  /** Forget the watermarks and read everything again. */
  full?: boolean
  /** What a person has agreed to for this run. */
  accept?: Acceptance[]
}

/** `mode`: keep tables in another mode, with what that does to their rows. `shrink`: let a snapshot that is much smaller take a table's place. */
export type Acceptance = 'mode' | 'shrink'

export interface StartRunInput extends RunInput {
  run: string
}
export interface RunPlan {
  streams: string[]
  vendor: string
  concurrency: number
  timing?: Timing
  /** What will need a person before long. */
  warnings?: readonly string[]
}

/** Waits that the worker's surroundings decide: short under `weir dev` and in tests, longer in production. */
export interface Timing {
  /** A worker silent for so long is taken for dead. */
  heartbeatMs: number
  /** First wait before an attempt is repeated; doubles up to five minutes. */
  retryMs: number
}

/**
 * A worker that died with a workflow's task in hand, or with its queue of cached workflows, is noticed after so long. Temporal's ten seconds
 * each would be most of what a run may take to go on. A task that takes longer is given again, so it must leave room for a long history.
 */
export const workflowTaskMs = 5_000

export interface StreamInput {
  sync: string
  definition: string
  run: string
  stream: string
  full?: boolean
  accept?: Acceptance[]
  timing?: Timing
}

/** A stream's workflow, started by its run or continued as new with what it must not forget. */
export interface StreamStart extends StreamInput {
  paused?: Pause
  /** What was done before it was continued: for people, the truth is in the warehouse. */
  done?: Counts & { slices: number }
}

/** Slices still to do in this run, at most a hundred at a time. */
export interface SlicePlan {
  slices: { key: string; label: string }[]
  /** Are there more after these? Ask again when they are done. */
  more: boolean
  parallel: number
}

export interface SliceInput extends StreamInput {
  slice: string
  /** Whose slice it is, where it is not the live sync's. */
  backfill?: string
  /** Of how many: for people. */
  label?: string
}

export interface SliceReceipt extends Counts {
  /** Not finished: call again (after `waitUntil`, if given). */
  more?: boolean
  /** Too large for the vendor: two halves have taken its place, counts and all. Plan again. */
  halved?: boolean
  /** ISO instant: nothing is asked for until then. */
  waitUntil?: string
  /** Why: the quota is spent, or the vendor is down. */
  waitsFor?: WaitsFor
}

export interface StreamOutcome extends Counts {
  stream: string
  status: RunStatus
  failure?: FailureNote
  /** How many quality checks the definition has for it. */
  checks?: number
  /** Checks that did not pass, by name. */
  failedChecks?: string[]
}

/** What the checks of a stream's table said; the results stand in `_weir.quality_results`. */
export interface QualityReceipt {
  /** Checks that failed or could not be made, by name. */
  failedChecks: string[]
  /** Did one with severity `block` not pass? Then the stream's run has failed. */
  failure?: FailureNote
}

/** A failure as histories, tables and people see it. */
export interface FailureNote {
  reason: string
  message: string
}

export interface FinishStreamInput extends StreamInput {
  /** Whose run it is, where it is not the live sync's. */
  backfill?: string
  /** What ended it early, if anything did. */
  failure?: FailureNote
  cancelled?: boolean
}

export interface FinishRunInput {
  sync: string
  run: string
  /** How each stream ended; the counts come from `_weir.stream_runs`. */
  outcomes: { stream: string; status: RunStatus; failure?: FailureNote }[]
  failure?: FailureNote
  cancelled?: boolean
}
export interface RunReceipt extends Counts {
  status: RunStatus
  failure?: FailureNote
  /** What the sync runs after has completed while it ran, so it is its turn again: by this definition. */
  again?: string
}

/** A question about a connection; the answer is handed over in a row of `_weir.handovers`, never in the history. */
export interface AskInput {
  /** `consent`: where a person consents; `connect`: here is what the browser came back with; `destinations`: what an audience's say. */
  question: 'check' | 'discover' | 'preview' | 'consent' | 'connect' | 'destinations'
  /** Of `destinations`: `audience/NAME`. */
  sync: string
  definition: string
  stream?: string
  limit?: number
  /** Of `consent` and `connect`: hashes of all syncs that share the connection. */
  definitions?: string[]
  /** Of `consent` and `connect`: hashes of all audiences that go out by the connection. */
  audiences?: string[]
  /** Of `connect`: the row with the code, taken once. A code never stands in a history. */
  handover?: string
  /** The credential is not kept but given back, sealed for this public key. */
  recipient?: string
}
export interface AskReceipt {
  handover: string
}

/** A field that a person approved; `after` is where an earlier call stopped. */
export interface ApplyChangeInput {
  sync: string
  definition: string
  stream: string
  change: number
  after?: string
}
export interface ApplyChangeReceipt {
  filled: number
  next?: string
  isBusy: boolean
}

export type LetterKind = 'record' | 'slice'
export type LetterStatus = 'open' | 'replayed' | 'superseded' | 'discarded'

/** Which dead letters: each part that is given must fit. */
export interface LetterFilter {
  ids?: string[]
  sync?: string
  stream?: string
  kind?: LetterKind
  reason?: string
  /** The run that met them last. */
  run?: string
  /** ISO instant: met at or after it. */
  since?: string
  status?: LetterStatus
}

/** Open letters of one stream, to be loaded again by the definition of today. Names, ids and filters, never a record. */
export interface ReplayInput {
  sync: string
  definition: string
  stream: string
  filter: Pick<LetterFilter, 'ids' | 'kind' | 'reason' | 'run' | 'since'>
  /** At most so many letters. */
  limit?: number
}
export interface ReplayPartInput extends ReplayInput {
  run: string
  /** Letters up to this id have been tried. */
  after?: string
}
export interface ReplayPart {
  /** Letters tried. */
  tried: number
  /** The last one's id; call again with it when there are more. */
  after?: string
  more: boolean
  /** The stream must be read again: it is replaced as a whole, or slices of it were opened again. */
  readAgain: boolean
}
export interface FinishReplayInput extends ReplayInput {
  run: string
  readAgain: boolean
  failure?: FailureNote
  cancelled?: boolean
}
export interface ReplayReceipt {
  loaded: number
  /** A row that is as new or newer stands. */
  unchanged: number
  failed: number
  /** Slices that the next run of the stream reads again. */
  reopened: number
  readAgain: boolean
  /** Row of `_weir.handovers` with the outcome of each letter. */
  handover: string
}

/** Bulk work: queue `weir`. */
export interface Activities {
  startRun: (input: StartRunInput) => Promise<RunPlan>
  planSlices: (input: StreamInput) => Promise<SlicePlan>
  syncSlice: (input: SliceInput) => Promise<SliceReceipt>
  finishStream: (input: FinishStreamInput) => Promise<StreamOutcome>
  /** After `finishStream`, for a stream that completed and has checks. */
  checkQuality: (input: StreamInput) => Promise<QualityReceipt>
  finishRun: (input: FinishRunInput) => Promise<RunReceipt>
  applyChange: (input: ApplyChangeInput) => Promise<ApplyChangeReceipt>
}

/** Short questions: queue `weir-control`, small and always free. */
export interface ControlActivities {
  ask: (input: AskInput) => Promise<AskReceipt>
}

/** Replay of dead letters: queue `weir`. */
export interface ReplayActivities {
  replayLetters: (input: ReplayPartInput) => Promise<ReplayPart>
  finishReplay: (input: FinishReplayInput) => Promise<ReplayReceipt>
}

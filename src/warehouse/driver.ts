/** What the engine asks of a warehouse. Names no database: PostgreSQL stands in `postgres/`. */
import type { FailureNote, LetterFilter, LetterKind, LetterStatus, RunKind, RunStatus } from '../core/activities.js'
import type { AudienceDefinition } from '../core/audience.js'
import type { Definition } from '../core/definition.js'
import type { WaitsFor } from '../core/failure.js'
import type { BudgetStore } from '../core/ports.js'
import type { QualityCheck, Severity } from '../core/quality.js'
import type { RebuildCounts, RebuildReceipt } from '../core/rebuild.js'
import type { Bounds, Counts, Fields, FieldType, Resume, Slice, SyncMode, Used } from '../core/types.js'
import type { Column, Missing } from '../schema/encode.js'
import type { Segment } from '../schema/lines.js'
import type { AlertStore } from './contract/alerts.js'
import type { AudienceStore } from './contract/audiences.js'
import type { BackfillStore } from './contract/backfills.js'
import type { CredentialStore } from './contract/credentials.js'
import type { AudienceDeploymentStore, DeploymentStore } from './contract/deployments.js'
import type { PauseStore } from './contract/pauses.js'
import type { ReportStore } from './contract/reports.js'
import type { StreamStanding } from './contract/standing.js'

/** Which stream of which sync. */
export interface StreamRef {
  sync: string
  stream: string
}

/** Whose slices: the live sync's, or those of a backfill of it. */
export interface SliceOwner extends StreamRef {
  backfill?: string | undefined
}

/** A table, and how its rows are told apart and ordered. */
export interface TableSpec {
  schema: string
  table: string
  key: readonly string[]
  mode: SyncMode
  fields: Fields
  /** Field whose value orders versions of a row. */
  cursor?: string
  /** Field that holds the instant of deletion. */
  deletedAt?: string
  /** Fields that bound the rows of a slice, for `replace_slice`. */
  bounds?: Bounds
  /** Is the record as it was read kept beside each row? */
  keepsRaw?: boolean
  /** Which key made the table's hashes, and which fields of the row's key are hashed. */
  hashed?: { by: string; keyFields: readonly string[] }
}

export interface OpenTable {
  spec: TableSpec
  columns: readonly Column[]
  /** Has the table as many columns as it may have? Then new fields go to `_weir_extra`. */
  isFull: boolean
}

/** A slice's checkpoint as claimed by one attempt. Only the newest claim can commit. */
export interface Claim extends SliceOwner {
  slice: Slice
  key: string
  epoch: number
  run: string
  /** When, as the database writes it: to the microsecond. */
  claimedAt?: string
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

export interface Letter {
  kind: LetterKind
  reason: string
  message: string
  /** The record's key, where it has one; the name of a slice. */
  recordKey?: string
  /** How old the version says that it is: an ISO 8601 instant. */
  versionAt?: string
  /** JSON text, whole. */
  payload: string
  /** Is the payload as the vendor shows it, since it could not be made a flat record? */
  isRaw?: boolean
}

/** A dead letter as it is listed: never its payload. Instants are ISO 8601. */
export interface LetterRow extends StreamRef {
  id: string
  kind: LetterKind
  reason: string
  message: string
  key?: string
  slice?: string
  run: string
  attempts: number
  status: LetterStatus
  firstSeenAt: string
  lastSeenAt: string
  closedAt?: string
  isRaw: boolean
  /** Fingerprint of the key that its payload is sealed with. */
  sealedBy?: string
}

/** An open letter taken up for replay. */
export interface OpenLetter {
  id: string
  kind: LetterKind
  key?: string
  /** JSON text, opened and whole. */
  payload: string
  isRaw: boolean
  /** When what it holds was met first, as the database writes it: the age of the record. */
  seenAt: string
  /** Changes when the letter is met again. */
  version: string
}

export type LetterRef = Pick<OpenLetter, 'id' | 'version'>

/** What became of a letter in a replay. */
export interface ReplayOutcome {
  id: string
  key?: string
  outcome: 'loaded' | 'unchanged' | 'failed' | 'reopened'
  /** Why it failed again. */
  message?: string
}

export interface BatchCommit {
  claim: Claim
  table: OpenTable
  rows: number
  /** The rows as lines of COPY text. */
  segments: readonly Segment[]
  /** Are payloads of letters to be sealed? */
  encrypt?: boolean
  letters: readonly Letter[]
  /** Records read since the last commit. */
  read: number
  used: Used
  position: { resume?: Resume | undefined; reached?: string | undefined }
  isLast: boolean
}

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

/**
 * `dead_letter`: set aside, the watermark passes it. `refused`: its parent is closed to us, and its range is read again. `halved`: two
 * smaller ones have taken its place.
 */
export type SliceState = 'open' | 'finished' | 'dead_letter' | 'refused' | 'halved'

export interface CheckpointRow extends StreamRef {
  slice: string
  bounds: Slice
  state: SliceState
  position: Position | null
  run: string
  createdAt: string
  updatedAt: string
}

export type ChangeStatus = 'applied' | 'noted' | 'captured' | 'pending' | 'approved' | 'rejected'
export type NotedChange = 'field_gone' | 'field_back' | 'row_overflow'

/** What happened, or is to happen, to the shape of a table. */
export interface ChangeRow extends StreamRef {
  id: number
  schema: string
  table: string
  change: string
  field?: string
  /** Of the field's values only those of this type are meant: they have a column of their own. */
  variant?: FieldType
  column?: string
  type?: string
  status: ChangeStatus
  run?: string
  createdAt: string
  decidedBy?: string
  decidedAt?: string
  filled?: number
}

/** How far a slice has come: where to go on, and the cursor value up to which rows are committed. */
export interface Position {
  resume?: Resume
  reached?: string
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

/** Slices known of a stream's time passes: what is unfinished, and how far planning has come. */
export interface Progress {
  watermarks: Watermark[]
  /** Checkpoints left by earlier runs. */
  left: { slice: Slice; key: string; state: SliceState }[]
}

/** What is measured over the current rows of a table. Rows without a value count in `nulls` only. */
export type Measure =
  /** Rows beyond the first of each combination of values. */
  | { kind: 'duplicates'; columns: readonly Column[] }
  /** Rows in which one of the columns is empty. */
  | { kind: 'nulls'; columns: readonly Column[] }
  | { kind: 'others'; column: Column; values: readonly string[] }
  | { kind: 'outside'; column: Column; min?: string; max?: string }
  /** The newest instant that does not lie after `until`. */
  | { kind: 'newest'; column: Column; until: Date }

export interface MeasureInput {
  /** A table, or what a SELECT yields. */
  spec: TableSpec | { name: string; sql: string }
  measures: readonly Measure[]
  /** Columns by which rows that fail are shown; none when they must not be. */
  shown: readonly Column[]
  timeoutMs: number
}

export interface Measured {
  rows: number
  /** For each measure in order: rows that fail, or the newest instant (undefined when there is none). */
  values: ({ failing: number; samples: Record<string, string>[] } | { newest: Date | undefined })[]
}

export interface QualityResult extends StreamRef {
  run: string
  check: QualityCheck['check']
  severity: Severity
  /** What the definition says of the check beside its name and severity. */
  parameters: Record<string, unknown>
  /** `recorded`: there was nothing to compare with yet. */
  status: 'pass' | 'fail' | 'error' | 'recorded'
  observed?: number | undefined
  threshold?: number | undefined
  unit?: 'rows' | 'percent' | 'seconds' | undefined
  /** Current rows of the table. */
  rows?: number | undefined
  failingRows?: number | undefined
  /** Keys of up to five rows that fail; never values of other columns. */
  samples: readonly Record<string, string>[]
  message: string
  checkedAt: string
}

/** A rebuild of a table, as far as it has come. */
export interface Rebuild extends StreamRef {
  run: string
  isDryRun: boolean
  /** The row that was looked at last; undefined before the first. */
  position: RowPlace | undefined
  counts: RebuildCounts
}
/** Where a row stands: what tells it apart, in the table's own order. */
export type RowPlace = readonly string[]

export interface RawRow {
  place: RowPlace
  /** Changes whenever somebody writes the row. */
  version: string
  /** JSON text; null where the row holds none. */
  raw: string | null
}

export interface RebuildBatch {
  table: OpenTable
  /** Rows to compare, and to write where they differ and nobody wrote them since. */
  rows: readonly (Pick<RawRow, 'place' | 'version'> & { line: string; letter: (message: string) => Letter })[]
  letters: readonly Letter[]
  /** Are payloads of letters to be sealed? */
  encrypt: boolean
  /** What is known already; what was rewritten comes on top. */
  counts: RebuildCounts
  position: RowPlace
}

export interface Warehouse {
  /** Creates or upgrades Weir's own tables; safe to call by many at once. */
  migrate: () => Promise<void>
  close: () => Promise<void>
  /** Findings of `weir check` and `weir doctor`: version, rights, clock, and how far Weir's own tables are brought up to date. Changes nothing. */
  describe: () => Promise<{ version: string; canCreate: boolean; clockSkewMs: number; migrations: { applied: number; known: number } }>

  definitions: {
    put: (hash: string, definition: Definition | AudienceDefinition) => Promise<void>
    get: (hash: string) => Promise<Definition>
    audience: (hash: string) => Promise<AudienceDefinition>
  }
  handovers: {
    put: (body: unknown) => Promise<string>
    /** Reads and deletes; undefined when gone. Rows older than an hour are swept. */
    take: (id: string) => Promise<unknown>
  }
  runs: {
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
    /** Streams of a run as they stand now, counts of what is committed included. */
    progress: (run: string) => Promise<StreamRunRow[]>
    /** The newest stream run of each stream of each sync; backfills left out. */
    latest: () => Promise<StreamRunRow[]>
  }
  planning: {
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
  slices: {
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
  tables: {
    /** Creates the table; with `adds` also the declared columns that it lacks. The returned columns are what is there now. */
    open: (ref: SliceOwner & { run: string }, spec: TableSpec, options: { adds: boolean }) => Promise<OpenTable>
    /** The mode that each table of a schema is kept in, by the table's name. */
    modes: (schema: string) => Promise<Record<string, SyncMode>>
    /** Keeps a table in the spec's mode from now on; rows that it has no place for go. */
    switchMode: (ref: StreamRef & { run: string }, spec: TableSpec) => Promise<void>
    /** Adds columns, a short transaction of its own; repeats harmlessly. */
    addColumns: (ref: StreamRef & { run: string }, table: OpenTable, missing: Missing) => Promise<OpenTable>
  }
  streams: {
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
  state: {
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
  quality: {
    /** Columns of a table as they are now; none where there is no table. */
    columns: (spec: TableSpec) => Promise<readonly Column[]>
    /** Measures all in one scan of one snapshot, without a lock that a load would meet. What the database cannot answer is a `problem` in words. */
    measure: (input: MeasureInput) => Promise<Measured | { problem: string }>
    /** Rows that an earlier run's check counted, of those made in [from, to) the one nearest to `near`. */
    rowsBefore: (
      ref: StreamRef & { run: string },
      when: { from: Date; to: Date; near: Date },
    ) => Promise<{ rows: number; checkedAt: string } | undefined>
    /** Stores the results of a run of a stream, and how that ends: the first results stand. `failure` fails a completed run. */
    record: (ref: StreamRef & { run: string }, results: readonly QualityResult[], failure?: FailureNote) => Promise<void>
    /** Results of a run, in the order of the checks. */
    results: (run: string, stream?: string) => Promise<QualityResult[]>
    /** Results of the newest checked run of each stream of each sync. */
    latest: () => Promise<QualityResult[]>
  }
  rebuilds: {
    /**
     * Notes the rebuild, once.
     * @throws Failure `config` while a run reads the stream, or where there is no table
     */
    start: (ref: StreamRef & { run: string; definition: string; isDryRun: boolean }, spec: TableSpec) => Promise<void>
    open: (run: string) => Promise<Rebuild>
    /** The table as it stands; nothing is added to it. */
    look: (spec: TableSpec) => Promise<OpenTable>
    /** The next rows in the order of their places, some megabytes at most. */
    rows: (spec: TableSpec, after: RowPlace | undefined) => Promise<RawRow[]>
    /** Rows, dead letters, counts and position in one transaction; throws `fenced` when another attempt went on from here. */
    commit: (rebuild: Rebuild, batch: RebuildBatch) => Promise<Rebuild>
    /** Repeats harmlessly: the first end stands. */
    finish: (run: string, end: (counts: RebuildCounts) => Pick<RebuildReceipt, 'status' | 'failure'>) => Promise<RebuildReceipt>
  }
  catalogs: {
    put: (ref: StreamRef, fields: Fields) => Promise<void>
    get: (ref: StreamRef) => Promise<Fields>
  }
  changes: {
    /** Notes new fields that got no column; one entry a field however often it is met. */
    hold: (ref: StreamRef & { run: string }, table: TableSpec, fields: Missing, status: 'captured' | 'pending') => Promise<void>
    /** Notes what needs no decision; said again only after something else was said of the field. */
    note: (ref: StreamRef & { run: string }, table: TableSpec, change: NotedChange, fields: readonly string[]) => Promise<void>
    /** Compares the declared fields that records carried with those that they used to carry. */
    seen: (ref: StreamRef & { run: string }, table: TableSpec, carried: readonly string[], absent: readonly string[]) => Promise<void>
    list: (filter: {
      sync?: string
      stream?: string
      status?: readonly ChangeStatus[]
      ids?: readonly number[]
      run?: string
      limit?: number
    }) => Promise<ChangeRow[]>
    /** Rows whose value for the change's field waits in `_weir_extra`. */
    waiting: (change: ChangeRow) => Promise<number>
    decide: (id: number, decision: 'approved' | 'rejected', by: string) => Promise<boolean>
    /** Moves values from `_weir_extra` into the approved column, a bounded number of rows a call; `next` is where to go on. */
    fill: (change: ChangeRow, table: OpenTable, after?: string) => Promise<{ filled: number; next?: string }>
    /** Does a live run read the stream now? Its attempts know the columns of when they began; a backfill fills at its own end. */
    isBusy: (ref: StreamRef) => Promise<boolean>
  }
  backfills: BackfillStore
  /** The streams of each sync's newest run, as they stand now. */
  standing: () => Promise<StreamStanding[]>
  /** What `weir apply` has put in force. */
  deployments: DeploymentStore
  /** The same of audiences. */
  audienceDeployments: AudienceDeploymentStore
  /** Conditions that are open, and the outbox of messages about them. */
  alerts: AlertStore
  /** People who go out: what destinations hold, what pushes change. */
  audiences: AudienceStore
  /** Pauses of runs. */
  pauses: PauseStore
  /** What runs tell of themselves. */
  reports: ReportStore
  /** Budgets of vendors' accounts, shared by all workers. */
  budgets: BudgetStore
  tokens: CredentialStore
  letters: {
    /** How many fit, by stream and kind. */
    count: (filter: LetterFilter) => Promise<(StreamRef & { kind: LetterKind; letters: number })[]>
    /** Those that fit, the one met last first. */
    list: (filter: LetterFilter, limit: number) => Promise<LetterRow[]>
    /** One letter with its payload as JSON text; throws `config` where the key that sealed it is not the one that is set. */
    get: (id: string) => Promise<(LetterRow & { payload: string }) | undefined>
    /** Closes the open ones that fit; answers with how many. */
    discard: (filter: LetterFilter) => Promise<number>
    /** Throws `config` when there is no key to seal payloads with. */
    requireKey: () => Promise<void>
    /** Open letters of a stream that fit, in the order of their ids, from after `after`; as many as memory bears. */
    open: (ref: StreamRef, filter: LetterFilter, page: { after: string | undefined; limit: number }) => Promise<OpenLetter[]>
    /**
     * Loads letters again: line i of the batch is what letter i holds. Each is closed in the transaction of its effect; one that is
     * closed or was met again meanwhile is left alone.
     */
    replay: (batch: BatchCommit, letters: readonly OpenLetter[]) => Promise<void>
    /** Notes that letters failed again, and why. */
    failAgain: (ref: StreamRef & { run: string }, letters: readonly (LetterRef & { message: string })[]) => Promise<void>
    /**
     * Opens the slice of a letter again, so that the next run of its stream reads it, or the backfill that met it when it goes on; what
     * loads it closes the letter.
     */
    reopen: (ref: StreamRef & { run: string }, letter: LetterRef, slice: Slice) => Promise<void>
    /** What a replay did: counts of all, and at most `limit` letters one by one. */
    outcomes: (
      ref: StreamRef & { run: string },
      limit: number,
    ) => Promise<{ counts: Record<ReplayOutcome['outcome'], number>; letters: ReplayOutcome[] }>
    /** Deletes closed letters older than `closedMs`, and open ones not met for `openMs`, if given. */
    sweep: (ref: StreamRef, age: { closedMs: number; openMs?: number | undefined }) => Promise<void>
  }
}

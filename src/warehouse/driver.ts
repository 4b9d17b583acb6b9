/** What the engine asks of a warehouse. Names no database: PostgreSQL stands in `postgres/`. */
import type { FailureNote, RunKind, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import type { TokenStore } from '../core/ports.js'
import type { RebuildCounts, RebuildReceipt } from '../core/rebuild.js'
import type { Counts, Fields, Resume, Slice, SyncMode } from '../core/types.js'
import type { Column, Missing } from '../schema/encode.js'

/** Which stream of which sync. */
export interface StreamRef {
  sync: string
  stream: string
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
export interface Claim extends StreamRef {
  slice: Slice
  key: string
  epoch: number
  run: string
  resume?: Resume | undefined
  reached?: string | undefined
  isFinished: boolean
  counts: Counts
  /** Claims of this run since its last commit, this one included. */
  idleClaims: number
  lastFailure?: string | undefined
}

export interface Letter {
  kind: 'record' | 'page' | 'slice'
  reason: string
  message: string
  /** The record's key, where it has one. */
  recordKey?: string
  /** JSON text, whole. */
  payload: string
}

export interface BatchCommit {
  claim: Claim
  table: OpenTable
  /** Lines of COPY text; the last cell of each is `_weir_extra`. */
  lines: readonly string[]
  /** JSON text of a line's record and its key, should the line turn out to be what the database refuses. */
  recordOf: (line: number) => { payload: string; recordKey: string }
  letters: readonly Letter[]
  /** Records read since the last commit. */
  read: number
  used: { bytes: number; requests: number; retries: number; waitedMs: number }
  position: { resume?: Resume | undefined; reached?: string | undefined }
  isLast: boolean
}

export interface RunRow {
  run: string
  sync: string
  definition: string
  kind: RunKind
  status: RunStatus
  startedAt: string
  finishedAt?: string
  failure?: FailureNote
}

export interface StreamRunRow extends Counts {
  run: string
  sync: string
  stream: string
  status: RunStatus
  startedAt: string
  finishedAt?: string
  failure?: FailureNote
}

export interface CheckpointRow extends StreamRef {
  slice: string
  state: 'open' | 'finished' | 'dead_letter'
  position: { resume?: Resume; reached?: string } | null
  run: string
  updatedAt: string
}

export interface Watermark {
  pass: string
  watermark: string
}

/** Slices known of a stream's time passes: what is unfinished, and how far planning has come. */
export interface Progress {
  watermarks: Watermark[]
  /** Checkpoints left by earlier runs. */
  left: { slice: Slice; key: string; isFinished: boolean }[]
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
  /** What is known already; what was rewritten comes on top. */
  counts: RebuildCounts
  position: RowPlace
}

export interface Warehouse {
  /** Creates or upgrades Weir's own tables; safe to call by many at once. */
  migrate: () => Promise<void>
  close: () => Promise<void>
  /** Findings of `weir check`: version, rights, time zone. */
  describe: () => Promise<{ version: string; canCreate: boolean; clockSkewMs: number }>

  definitions: {
    put: (hash: string, definition: Definition) => Promise<void>
    get: (hash: string) => Promise<Definition>
  }
  handovers: {
    put: (body: unknown) => Promise<string>
    /** Reads and deletes; undefined when gone. Rows older than an hour are swept. */
    take: (id: string) => Promise<unknown>
  }
  runs: {
    start: (run: { run: string; sync: string; definition: string; kind: RunKind }) => Promise<void>
    /** Repeats harmlessly: the first end stands. */
    finish: (run: string, status: RunStatus, counts: Counts, failure?: FailureNote) => Promise<void>
    list: (filter: { sync?: string; limit: number }) => Promise<(RunRow & Counts)[]>
    streams: (run: string) => Promise<StreamRunRow[]>
    /** Streams of a run as they stand now, counts of what is committed included. */
    progress: (run: string) => Promise<StreamRunRow[]>
    /** The newest stream run of each stream of each sync. */
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
    /** Unfinished slices of a run, oldest first. */
    open: (ref: StreamRef & { run: string }, limit: number) => Promise<{ key: string; slice: Slice }[]>
  }
  slices: {
    claim: (ref: StreamRef & { run: string; key: string; owner: string }) => Promise<Claim>
    /** Rows, dead letters, counts and checkpoint in one transaction; throws `fenced` when a newer claim exists. */
    commit: (batch: BatchCommit) => Promise<Counts>
    /** The attempt ends in good order (a wait, a hand-over): it no longer counts as one without progress. */
    release: (claim: Claim) => Promise<void>
    /** What an attempt ended with, for the message of the attempt that gives up. */
    note: (claim: Claim, failure: FailureNote) => Promise<void>
    /** Sets the whole slice aside as a dead letter. */
    setAside: (claim: Claim, letter: Letter) => Promise<void>
  }
  tables: {
    /** Creates the table and the columns that it lacks; the returned columns are what is there now. */
    open: (ref: StreamRef & { run: string }, spec: TableSpec) => Promise<OpenTable>
    /** Adds columns, a short transaction of its own; repeats harmlessly. */
    addColumns: (ref: StreamRef & { run: string }, table: OpenTable, missing: Missing) => Promise<OpenTable>
  }
  streams: {
    /** Settles a stream's run: makes a replaced table equal to its snapshot, moves watermarks, sums counts; all in one transaction, once. */
    finish: (
      ref: StreamRef & { run: string },
      outcome: { table?: TableSpec; status: (counts: Counts, letters: number) => { status: RunStatus; failure?: FailureNote } },
    ) => Promise<StreamRunRow>
    /** Forgets checkpoints and watermarks: the next run reads everything. */
    reset: (ref: { sync: string; stream?: string }) => Promise<number>
    state: (ref: {
      sync: string
      stream?: string
    }) => Promise<{ checkpoints: CheckpointRow[]; watermarks: (StreamRef & Watermark & { updatedAt: string })[] }>
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
  /** Rotated OAuth tokens, encrypted. */
  tokens: TokenStore
  letters: {
    count: (ref: { sync?: string }) => Promise<{ sync: string; stream: string; reason: string; open: number }[]>
  }
}

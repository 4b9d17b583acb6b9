/** What the engine asks of a warehouse. Names no database: PostgreSQL stands in `postgres/`. */
import type { FailureNote, RunKind, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import type { TokenStore } from '../core/ports.js'
import type { Bounds, Counts, Fields, Resume, Slice, SyncMode } from '../core/types.js'
import type { Column, Missing } from '../schema/encode.js'
import type { Segment } from '../schema/lines.js'

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
  /** Fields that bound the rows of a slice, for `replace_slice`. */
  bounds?: Bounds
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
  rows: number
  /** The rows as lines of COPY text. */
  segments: readonly Segment[]
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

export type ChangeStatus = 'applied' | 'noted' | 'captured' | 'pending' | 'approved' | 'rejected'
export type NotedChange = 'field_gone' | 'field_back' | 'row_overflow'

/** What happened, or is to happen, to the shape of a table. */
export interface ChangeRow extends StreamRef {
  id: number
  schema: string
  table: string
  change: string
  field?: string
  column?: string
  type?: string
  status: ChangeStatus
  run?: string
  createdAt: string
  decidedBy?: string
  decidedAt?: string
  filled?: number
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
    /** Creates the table; with `adds` also the declared columns that it lacks. The returned columns are what is there now. */
    open: (ref: StreamRef & { run: string }, spec: TableSpec, options: { adds: boolean }) => Promise<OpenTable>
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
    /** Forgets checkpoints and watermarks: the next run reads everything. */
    reset: (ref: { sync: string; stream?: string }) => Promise<number>
    state: (ref: {
      sync: string
      stream?: string
    }) => Promise<{ checkpoints: CheckpointRow[]; watermarks: (StreamRef & Watermark & { updatedAt: string })[] }>
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
      limit?: number
    }) => Promise<ChangeRow[]>
    /** Rows whose value for the change's field waits in `_weir_extra`. */
    waiting: (change: ChangeRow) => Promise<number>
    decide: (id: number, decision: 'approved' | 'rejected', by: string) => Promise<boolean>
    /** Moves values from `_weir_extra` into the approved column, a bounded number of rows a call; `next` is where to go on. */
    fill: (change: ChangeRow, table: OpenTable, after?: string) => Promise<{ filled: number; next?: string }>
    /** Is the stream being read now? Its attempts know the columns of when they began. */
    isBusy: (ref: StreamRef) => Promise<boolean>
  }
  /** Rotated OAuth tokens, encrypted. */
  tokens: TokenStore
  letters: {
    count: (ref: { sync?: string }) => Promise<{ sync: string; stream: string; reason: string; open: number }[]>
  }
}

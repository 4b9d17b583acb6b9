/** What the engine asks of a warehouse. Names no database: PostgreSQL stands in `postgres/`. */
import type { FailureNote, LetterFilter, LetterKind, LetterStatus, RunKind, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import type { TokenStore } from '../core/ports.js'
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
  kind: LetterKind
  reason: string
  message: string
  /** The record's key, where it has one; the name of a slice. */
  recordKey?: string
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
  /** Lines of COPY text; the last cell of each is `_weir_extra`. */
  lines: readonly string[]
  /** JSON text of a line's record and its key, should the line turn out to be what the database refuses. */
  recordOf: (line: number) => { payload: string; recordKey: string }
  /** Key of a line's record, as letters name it. */
  keyOf: (line: number) => string
  /** Are payloads of letters to be sealed? */
  encrypt?: boolean
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
  catalogs: {
    put: (ref: StreamRef, fields: Fields) => Promise<void>
    get: (ref: StreamRef) => Promise<Fields>
  }
  /** Rotated OAuth tokens, encrypted. */
  tokens: TokenStore
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
    /** Opens the slice of a letter again, so that the next run of its stream reads it; what loads it closes the letter. */
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

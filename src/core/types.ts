/**
 * Words, used the same way in code, YAML, tables, logs and docs:
 *
 * source      what a connector reads from one vendor          stream      one kind of record of a source
 * record      one thing as the vendor shows it, flattened     page        what one request brought
 * batch       what one warehouse transaction takes            slice       a piece of a stream that is read alone
 * pass        one way of walking a stream (changes, deletions): each has its own slices and watermark
 * cursor      the field whose value orders changes            checkpoint  durable position of a slice
 * watermark   the end of the unbroken row of finished slices  receipt     what an activity returns: counts, never records
 */

/** A value from a vendor's JSON. Numbers that a double cannot hold are `bigint` or `ExactNumber`. */
export type Value = unknown
/** A record: vendor's field names, one level. */
export type Rec = Record<string, Value>

/** Types of fields, chosen so that they rarely change: ids text, money and counts bigint, other numbers numeric. */
export type FieldType = 'text' | 'bigint' | 'numeric' | 'double' | 'boolean' | 'timestamp' | 'date' | 'json'

export interface Field {
  type: FieldType
  /** The stream fails when the field is missing from a whole page. */
  required?: boolean
  description?: string
}
/** Vendor's field name → what it holds. */
export type Fields = Readonly<Record<string, Field>>

/** The fields by which the rows of one slice are told from all others: of its parent, and of its range of time. */
export interface Bounds {
  parent?: string
  range?: string
}

export type SyncMode = 'merge' | 'append' | 'replace' | 'replace_slice' | 'history'

export interface Cursor {
  /** Field (after `record`) whose value orders versions of a record: timestamps. */
  field: string
  /** Do pages come in the cursor's order? Then an expired page token is resumed from the last cursor, not from the slice's start. */
  ordered: boolean
}

/** A piece of a stream that can be read alone. Instants are ISO 8601 in UTC; `from` inclusive, `to` exclusive. */
export interface Slice {
  pass: string
  from?: string
  to?: string
  /** Parent record or partition (a list's id, an account). */
  parent?: string
}

/** What a reader stores to go on after a page: small, JSON, no secret. */
export type Resume = Readonly<Record<string, unknown>>

export interface Page {
  /** Records as the vendor shows them. */
  records: readonly Rec[]
  /** How to go on after this page; undefined only on the last one. */
  resume?: Resume | undefined
  /** Committed before the next page is asked for: `resume` names something made at the vendor, such as a job, that a repeat would make twice. */
  isDurable?: true
  /** When it came, by `ReadContext.now`, where that is not when it is given: of two readings of a row the later one counts. */
  readAt?: Date
}

export interface ReadContext {
  http: Http
  slice: Slice
  /** From the checkpoint, if the slice was begun before. */
  resume?: Resume | undefined
  /** Declared and discovered fields, for vendors that must be asked for each by name. */
  fields: Fields
  /** Cursor value up to which rows are committed; where to start again when a page token has expired. */
  reached?: string | undefined
  /** The time by the warehouse's clock, for pages that are read before they are given. */
  now?: (() => Date) | undefined
}

export type Slicing =
  /** One slice: everything. */
  | { by: 'all' }
  /** Ranges of the cursor, from the watermark to now. */
  | {
      by: 'time'
      /** Length of a slice; without it one slice takes the whole range. */
      days?: number
      /** How far before the watermark to read again: late and restated records. */
      lookbackMs: number
      /** How far behind now to stop: the vendor shows new records late. */
      lagMs: number
      /** The first run: read the whole (no `from`), or skip it since another pass reads everything. */
      first: 'whole' | 'skip'
      /**
       * The oldest cursor value at the vendor, or the oldest that is not before `from`: one small request. With it a first run is
       * cut into slices: of `days` each, or without them into as many as can be read side by side.
       */
      earliest?: (http: Http, from?: string, parent?: string) => Promise<string | undefined>
      /** Where each parent (an ad account) has ranges and a watermark of its own. One that is listed no more keeps its watermark. */
      parents?: (http: Http) => AsyncIterable<string>
      /**
       * Ranges are whole days: `from` and `to` are midnights in UTC that stand for calendar days, of whatever zone the parent keeps. The
       * last one ends after today, and the day on which a run ended and the one before it are read again by the next, as is the look-back:
       * where a zone lies behind UTC they were not over.
       */
      wholeDays?: true
      /** A slice that the vendor calls too large is halved down to this; below it, it is set aside. Without it there is no halving. */
      smallestMs?: number
    }
  /** One slice a parent. */
  | { by: 'parent'; parents: (http: Http) => AsyncIterable<string> }

/** One way of walking a stream. */
export interface Pass {
  name: string
  /** Is it there to see what was deleted? A user may leave it out. */
  seesDeletions?: boolean
  slicing: Slicing
  read: (context: ReadContext) => AsyncIterable<Page>
}

/** Everything shared code needs to know of a stream. Paging, retries, typing, loading and checkpoints belong to shared code. */
export interface Stream {
  name: string
  key: readonly [string, ...string[]]
  fields: Fields
  /** Fields beyond the declared ones, where the vendor has metadata. */
  discover?: (http: Http) => Promise<Fields>
  mode: SyncMode
  modes: readonly SyncMode[]
  /** Is it read when the user names no streams? False for what costs dearly. */
  isDefault: boolean
  cursor?: Cursor
  /** Field that holds the instant of deletion, where the vendor shows one; loaded as `_weir_deleted_at`. */
  deletedAt?: string
  /** What a slice speaks for, where the mode `replace_slice` is offered: the pass's slices give all rows of it. */
  bounds?: Bounds
  /** At least one. The first reads what exists; others see what the first cannot. */
  passes: readonly [Pass, ...Pass[]]
  /** Slices read at once. */
  parallel: number
  /** How many records the vendor itself says there are, deleted ones left out; undefined when it says none this time. */
  total?: (http: Http) => Promise<number | undefined>
  /** From the vendor's shape to a flat record, which may be made of parts of it: nobody reads `raw` afterwards. */
  record: (raw: Rec) => Rec
  description: string
  /** Set where a column policy is laid over the stream. Both may be applied to what they gave (a raw record, a dead letter). */
  policy?: { record: (flat: Rec) => Rec; fields: (fields: Fields) => Fields }
  /** Is each record kept as it was read, after the column policy, beside its row? */
  keepsRaw?: boolean
  /** Set where a column policy hashes fields: the key's fingerprint, and the fields of the stream's key among them. */
  hashed?: { by: string; keyFields: readonly string[] }
}

/** One finding of `weir check`. */
export interface Finding {
  name: string
  ok: boolean
  message: string
  hint?: string
}

export interface Source {
  type: string
  streams: Readonly<Record<string, Stream>>
  /** A stream that the user defines: its name, and the vendor's own keys of it in the YAML (validated by the connector's `custom`). */
  custom?: (name: string, given: Rec) => Stream
  check: (http: Http) => AsyncIterable<Finding>
}

/** Counts that every receipt carries. read = loaded + unchanged + deadLetters, always. */
export interface Counts {
  read: number
  loaded: number
  unchanged: number
  deadLetters: number
  /** Rows that a snapshot no longer holds and that were removed or marked. */
  deleted: number
  bytes: number
  requests: number
  retries: number
  /** Milliseconds spent waiting for budget or for the vendor's own word, timers of the workflow included. */
  waitedMs: number
  /** How many such waits took a second or more. */
  waits: number
  /** Milliseconds that requests took, of all that ran side by side. */
  vendorMs: number
  /** Milliseconds that the transactions of batches took. */
  warehouseMs: number
}

/** What requests have used up so far; `spent` is how many were answered, by the name of the vendor's budget that they count against. */
export type Used = Pick<Counts, 'bytes' | 'requests' | 'retries' | 'waitedMs' | 'waits' | 'vendorMs'> & {
  spent: Readonly<Record<string, number>>
}

/** A polite client for one vendor account: authenticated, budgeted, retried, origin-checked. */
export interface Http {
  request: (request: HttpRequest) => Promise<HttpResponse>
  /** The elements of an answer that is one JSON array, each as soon as it is whole; no more than one of them is in memory. */
  stream: (request: HttpRequest) => AsyncIterable<Rec>
  /** Settings of the connection that shape requests (API version, accounts), never secrets. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Requests, bytes, retries and waits so far. */
  readonly used: Used
}

export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the origin, or a whole URL of the same origin (a `next` link, sent back untouched). */
  path: string
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  body?: unknown
  /** A body that is no JSON, as it is; its content-type stands in `headers`. */
  text?: string
  headers?: Readonly<Record<string, string>>
  /** What is expected back: JSON unless it says `text`, whose answer's body is `{ text }` (CSV of bulk jobs), or `none`. */
  answer?: 'json' | 'text' | 'none'
  /** Asking twice is not asking once: where nobody knows whether it arrived, the caller is told instead of the vendor asked again. */
  once?: true
  /** Refusals that are an answer to the caller: their bodies say which parts of the request were refused. */
  refusals?: readonly number[]
  /** Another host of the vendor, by the name that the api gives it; without it the connection's own origin. */
  host?: string
  /** Which of the api's budgets pays; the api's first one without it. */
  budget?: string
  /** Where one credential reaches several accounts that the vendor counts apart: the account that pays. */
  payer?: string
  /** Not before so long: what is asked for is still being made. Longer waits than a minute are thrown as `throttled`, with the instant. */
  afterMs?: number
}

export interface HttpResponse {
  status: number
  headers: Readonly<Record<string, string>>
  /** Parsed JSON; numbers beyond a double stay exact. */
  body: Rec
  bytes: number
}

/** A JSON number that neither a double nor a bigint holds exactly, as the vendor wrote it. */
export class ExactNumber {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text
  }
  /** Plain JSON.stringify would write it as a string or round it: it must go through the exact writer. */
  toJSON(): never {
    throw new TypeError('an exact number needs the exact JSON writer')
  }
}

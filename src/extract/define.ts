import { Failure } from '../core/failure.js'
import type {
  Bounds,
  Cursor,
  Fields,
  FieldType,
  Http,
  HttpRequest,
  Page,
  Pass,
  ReadContext,
  Rec,
  Slice,
  Slicing,
  Stream,
  SyncMode,
} from '../core/types.js'
import type { Paginator } from './paginate.js'
import { walk } from './walk.js'

/** Columns that have a type and nothing else. */
export const typed = (types: Readonly<Record<string, FieldType>>): Fields =>
  Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]))

/** A pass as a connector writes it: what to ask for a slice, and how to page through the answer; or a reader of its own. */
export interface DeclaredPass {
  /** Without a name it is the stream's main pass. */
  name?: string
  slicing: Slicing
  /** Is it there to see what was deleted? */
  seesDeletions?: boolean
  /** First requests of a slice, walked one after another. */
  ask?: (slice: Slice, context: ReadContext) => HttpRequest | readonly HttpRequest[]
  pages?: Paginator
  /** Do its pages come in the order of the stream's cursor? Default: as the cursor says. */
  isOrdered?: boolean
  /** Where it is no paged REST. */
  read?: (context: ReadContext) => AsyncIterable<Page>
  /** Field of each record that takes the slice's parent. */
  parentField?: string
  /** A parent that the vendor no longer knows has no records, and is no failure. */
  mayBeGone?: boolean
}

export interface DeclaredStream {
  description: string
  key: readonly [string, ...string[]]
  fields: Fields
  mode: SyncMode
  modes: readonly SyncMode[]
  record: (raw: Rec) => Rec
  passes: readonly [DeclaredPass, ...DeclaredPass[]]
  /** Default: yes. */
  isDefault?: boolean
  cursor?: Cursor
  deletedAt?: string
  bounds?: Bounds
  parallel?: number
  discover?: (http: Http) => Promise<Fields>
  total?: (http: Http) => Promise<number | undefined>
}

/** Streams as data → streams that the engine drives. */
export function defineStreams(declared: Readonly<Record<string, DeclaredStream>>): Record<string, Stream> {
  return Object.fromEntries(
    Object.entries(declared).map(([name, { passes, isDefault = true, parallel = 1, ...rest }]) => {
      const [first, ...others] = passes.map((pass) => reader(pass, { passes, ...rest }))
      return [name, { ...rest, name, isDefault, parallel, passes: [first!, ...others] } satisfies Stream]
    }),
  )
}

function reader(pass: DeclaredPass, stream: DeclaredStream): Pass {
  const { name = 'main', slicing, seesDeletions = false } = pass
  return { name, slicing, seesDeletions, read: pass.read ?? ((context) => paged(pass, stream, context)) }
}

async function* paged(
  { ask, pages, isOrdered, parentField, mayBeGone }: DeclaredPass,
  stream: DeclaredStream,
  context: ReadContext,
): AsyncIterable<Page> {
  const { http, slice, resume, reached } = context
  if (!ask || !pages) throw new Failure('bug', 'A pass needs `read`, or `ask` and `pages`.')
  const requests = (from?: string) => {
    const asked = ask(rest(slice, from), context)
    return Array.isArray(asked) ? (asked as readonly HttpRequest[]) : [asked as HttpRequest]
  }
  const cursorOf = (isOrdered ?? stream.cursor?.ordered) ? oldestOf(stream) : undefined
  try {
    for await (const page of walk({ http, paginator: pages, requests, resume, reached: instantOf(reached), cursorOf, now: context.now })) {
      yield parentField === undefined
        ? page
        : { ...page, records: page.records.map((record) => ({ ...record, [parentField]: slice.parent })) }
    }
  } catch (error) {
    if (!(mayBeGone && error instanceof Failure && error.reason === 'permanent' && error.where.status === 404)) throw error
    yield { records: [] }
  }
}

/** The oldest cursor value of a page: what stands before it has been read, where pages come in the cursor's order. */
function oldestOf({ cursor, record }: DeclaredStream): (records: readonly Rec[]) => string | undefined {
  return (records) => {
    const values = cursor ? records.map((raw) => instantOf(record(raw)[cursor.field])) : []
    // One without a value: nothing is known of the order.
    return values.includes(undefined) ? undefined : (values as string[]).sort()[0]
  }
}

/** Without a zone it would be taken for this machine's own time: hours could be skipped. */
const zoned = /^\d{4}-\d\d-\d\d$|(?:Z|[+-]\d\d:?\d\d)$/i

function instantOf(value: unknown): string | undefined {
  const at = typeof value === 'string' && zoned.test(value) ? new Date(value) : undefined
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined
}

/** What is left of a slice that was read up to a cursor value. */
function rest(slice: Slice, reached: string | undefined): Slice {
  const from = instantOf(reached)
  return from === undefined || (slice.from !== undefined && from < slice.from) ? slice : { ...slice, from }
}

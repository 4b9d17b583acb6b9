import type { Cursor, Fields, Http, HttpRequest, Page, Pass, ReadContext, Rec, Slice, Slicing, Stream, SyncMode } from '../core/types.js'
import type { Paginator } from './paginate.js'
import { walk } from './walk.js'

/** A pass as a connector writes it: what to ask for a slice, and how to page through the answer; or a reader of its own. */
export interface DeclaredPass {
  /** Without a name it is the stream's main pass. */
  name?: string
  slicing: Slicing
  /** First requests of a slice, walked one after another. */
  ask?: (slice: Slice, context: ReadContext) => HttpRequest | readonly HttpRequest[]
  pages?: Paginator
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
  parallel?: number
  discover?: (http: Http) => Promise<Fields>
}

/** Streams as data → streams that the engine drives. */
export function defineStreams(declared: Readonly<Record<string, DeclaredStream>>): Record<string, Stream> {
  return Object.fromEntries(
    Object.entries(declared).map(([name, { passes, isDefault = true, parallel = 1, ...rest }]) => {
      const [first, ...others] = passes.map((pass) => reader(pass, rest.cursor))
      return [name, { ...rest, name, isDefault, parallel, passes: [first!, ...others] } satisfies Stream]
    }),
  )
}

function reader(pass: DeclaredPass, cursor: Cursor | undefined): Pass {
  const { name = 'main', slicing } = pass
  return { name, slicing, read: pass.read ?? ((context) => paged(pass, cursor, context)) }
}

async function* paged(
  { ask, pages, parentField, mayBeGone }: DeclaredPass,
  cursor: Cursor | undefined,
  context: ReadContext,
): AsyncIterable<Page> {
  const { http, slice, resume, reached } = context
  const requests = (from?: string) => {
    const asked = ask!(from === undefined ? slice : { ...slice, from: later(slice.from, from) }, context)
    return Array.isArray(asked) ? (asked as readonly HttpRequest[]) : [asked as HttpRequest]
  }
  try {
    for await (const page of walk({ http, paginator: pages!, requests, resume, ...(cursor?.ordered ? { reached } : {}) })) {
      yield parentField === undefined
        ? page
        : { ...page, records: page.records.map((record) => ({ ...record, [parentField]: slice.parent })) }
    }
  } catch (error) {
    if (!(mayBeGone && (error as { where?: { status?: number } }).where?.status === 404)) throw error
    yield { records: [] }
  }
}

const later = (from: string | undefined, reached: string): string => {
  const instant = new Date(reached).toISOString()
  return from === undefined || instant > from ? instant : from
}

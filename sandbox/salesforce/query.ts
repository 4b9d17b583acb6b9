/** REST queries: pages of a result that stands still, led through by locators. */
import type { Reply, Request } from '../kit/http.js'
import { jsonType, refuse } from './errors.js'
import { type Found, find } from './find.js'
import { idOf } from './ids.js'
import type { Closed, Org } from './org.js'
import { restRecord } from './show.js'
import { parse } from './soql.js'

interface Cursor {
  found: Found
  version: string
  size: number
  openedMs: number
}

/** The vendor's default and most; a hint may ask for less, down to 200. */
const pageMost = 2_000
const pageLeast = 200
const locatorMs = 2 * 86_400_000
/** Open cursors that are remembered. */
const kept = 500

export class Queries {
  readonly switches = {
    /** A page never holds more, whatever is asked for: as with wide rows. */
    pageMost,
    /** A query that reads more rows takes too long; a count or a LIMIT does not. */
    slowAbove: Number.POSITIVE_INFINITY,
  }
  private readonly cursors = new Map<string, Cursor>()
  private opened = 0

  constructor(private readonly org: Org) {}

  query(request: Request, closed: Closed, all: boolean, version: string): Reply {
    const query = parse(request.query.get('q') ?? '')
    const found = find(this.org, query, all, closed)
    if (query.fields === undefined)
      return { status: 200, contentType: jsonType, body: { totalSize: found.rows.length, done: true, records: [] } }
    if (found.rows.length > this.switches.slowAbove) throw refuse(400, 'QUERY_TIMEOUT', 'Your query request was running for too long.')
    const id = idOf('01g', ++this.opened)
    this.cursors.set(id, { found, version, size: this.sizeOf(request), openedMs: this.org.nowMs() })
    if (this.cursors.size > kept) this.cursors.delete(this.cursors.keys().next().value as string)
    return this.page(id, 0, request)
  }

  /** A locator names the cursor and the place in it. */
  more(request: Request): Reply {
    const [, id = '', at = ''] = /^(\w+)-(\d+)$/.exec(request.params.locator ?? '') ?? []
    return this.page(id, Number(at), request)
  }

  private sizeOf({ headers }: Request): number {
    const asked = Number(/batchSize=(\d+)/i.exec(String(headers['sforce-query-options'] ?? ''))?.[1] ?? pageMost)
    return Math.min(Math.max(asked, pageLeast), pageMost, this.switches.pageMost)
  }

  private page(id: string, at: number, request: Request): Reply {
    const cursor = this.cursors.get(id)
    if (cursor === undefined || cursor.openedMs < this.org.nowMs() - locatorMs)
      throw refuse(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator')
    const { found, version } = cursor
    const size = request.halfPage ? Math.ceil(cursor.size / 2) : cursor.size
    const end = at + size
    const done = end >= found.rows.length
    return {
      status: 200,
      contentType: jsonType,
      body: {
        totalSize: found.rows.length,
        done,
        ...(done ? {} : { nextRecordsUrl: `/services/data/v${version}/query/${id}-${end}` }),
        records: found.rows.slice(at, end).map((row) => restRecord(found, row, version)),
      },
    }
  }
}

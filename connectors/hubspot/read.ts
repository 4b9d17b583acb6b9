import { Failure } from '../../src/core/failure.js'
import type { Http, HttpRequest, Page, ReadContext, Rec } from '../../src/core/types.js'
import { ahead } from '../../src/extract/ahead.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { pages, path } from './api.js'
import { propertiesOf } from './fields.js'

/** Records with every property by name: in one address where it fits, else ids first and the rest by batches. */

/** Addresses of some 16,300 characters have been seen to pass; the vendor names no limit. Host and cursor need room, too. */
const queryLimit = 14_000
/** Object guide: 100 a page, 100 a batch. Read 2026-11-23. */
const pageSize = 100
const batchSize = 100

/** All records, or all archived ones: there is no way to ask for both. */
export const list = (object: string, archived: boolean) => (context: ReadContext) => {
  const names = propertiesOf(context.fields)
  const properties = names.length > 0 ? { properties: names.join(',') } : {}
  const fits = new URLSearchParams(properties).toString().length <= queryLimit
  return fits ? listed(object, archived, context, properties) : ahead(completed(object, archived, context, names))
}

function listed(object: string, archived: boolean, { http, resume }: ReadContext, query: HttpRequest['query']): AsyncIterable<Page> {
  const first = { path: path(http, 'objects', `/${object}`), query: { limit: pageSize, archived, ...query } }
  return walk({ http, paginator: pages, requests: () => [first], resume })
}

async function* completed(object: string, archived: boolean, context: ReadContext, names: readonly string[]): AsyncIterable<Page> {
  for await (const page of listed(object, archived, context, { properties: 'hs_object_id' }))
    yield { ...page, records: await readAll(context.http, object, page.records, names, archived) }
}

/** The same records with these properties, in any order. Those that went since are left out: another pass finds them. */
export async function readAll(
  http: Http,
  object: string,
  records: readonly Rec[],
  properties: readonly string[],
  archived = false,
): Promise<Rec[]> {
  const read: Rec[] = []
  for (let start = 0; start < records.length; start += batchSize) {
    const { body } = await http.request({
      method: 'POST',
      path: path(http, 'objects', `/${object}/batch/read`),
      ...(archived ? { query: { archived } } : {}),
      body: { properties, inputs: records.slice(start, start + batchSize).map(({ id }) => ({ id })) },
    })
    // 200 or 207: what is missing shows in the errors, whatever the status.
    const other = errorsOf(body).find(({ category }) => category !== 'OBJECT_NOT_FOUND')
    if (other) throw new Failure('transient', `HubSpot could not read all of a batch of ${object}: ${String(other.category)}.`)
    read.push(...recordsAt('results')(body))
  }
  return read
}

const errorsOf = (body: Rec): Rec[] => {
  const errors = at(body, 'errors')
  return Array.isArray(errors) ? (errors as Rec[]) : []
}

import { Failure } from '../../src/core/failure.js'
import type { Fields, Http, HttpRequest, Page, ReadContext, Rec } from '../../src/core/types.js'
import { cursorParameter } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { path } from './api.js'
import { propertyNames } from './fields.js'

/** Longer addresses are refused (414 from about 16,000 characters). */
const longestUrl = 14_000
/** A longer search body is refused (search guide). */
const longestSearch = 3_000
const listPage = 100
const searchPage = 200
const batchSize = 100

const pages = cursorParameter('results', 'paging.next.after', 'after')

/** Every record of an object by the list endpoint, in the order of ids; archived ones are another walk. */
export const listed = (object: string, archived: boolean) =>
  async function* ({ http, resume, fields }: ReadContext): AsyncIterable<Page> {
    const names = propertyNames(fields)
    const properties = names.join(',')
    const isShort = encodeURIComponent(properties).length < longestUrl
    const request: HttpRequest = {
      path: path(http, 'objects', `/${object}`),
      query: { limit: listPage, archived, ...(isShort ? { properties } : {}) },
    }
    for await (const page of walk({ http, paginator: pages, requests: () => [request], resume })) {
      yield isShort ? page : { ...page, records: await withProperties(http, object, page.records, names, archived) }
    }
  }

/**
 * Records that changed in a range. A search gives 10,000 results and no more, and many records share one instant, so it never
 * pages by offset: each request asks for what follows the highest id of the last one, in the order of ids. A record that is
 * edited meanwhile leaves the range and is found by the next one.
 */
export const searched = (object: string, changedBy: string) =>
  async function* ({ http, slice, resume, fields }: ReadContext): AsyncIterable<Page> {
    const range = {
      propertyName: changedBy,
      operator: 'BETWEEN',
      value: String(Date.parse(slice.from!)),
      highValue: String(Date.parse(slice.to!) - 1),
    }
    let lastId = BigInt(String(resume?.lastId ?? 0))
    for (;;) {
      const filters = [range, ...(lastId > 0n ? [{ propertyName: 'hs_object_id', operator: 'GT', value: String(lastId) }] : [])]
      const { results, isLast } = await search(http, object, filters, fields)
      // Ids are numbers of differing length: compared as text, "9" would stand after "151".
      const highest = results.reduce((most, { id }) => (BigInt(String(id)) > most ? BigInt(String(id)) : most), lastId)
      if (!isLast && highest === lastId && results.length > 0)
        throw new Failure('transient', `HubSpot's search of ${object} does not go on behind id ${lastId}.`)
      yield { records: results, ...(isLast ? {} : { resume: { lastId: String(highest) } }) }
      if (isLast) return
      lastId = highest
    }
  }

async function search(http: Http, object: string, filters: unknown[], fields: Fields): Promise<{ results: Rec[]; isLast: boolean }> {
  const names = propertyNames(fields)
  const body = { filterGroups: [{ filters }], sorts: [{ propertyName: 'hs_object_id', direction: 'ASCENDING' }], limit: searchPage }
  const whole = { ...body, properties: names }
  const isShort = JSON.stringify(whole).length <= longestSearch
  for (let after: string | undefined; ; ) {
    const asked = { ...(isShort ? whole : body), ...(after === undefined ? {} : { after }) }
    const answer = await http.request({ method: 'POST', path: path(http, 'objects', `/${object}/search`), body: asked, budget: 'search' })
    const found = (answer.body.results ?? []) as Rec[]
    const next = (answer.body.paging as { next?: { after?: unknown } } | undefined)?.next?.after
    const isLast = next === undefined || next === null
    // An empty page with a next one is not the end; there is no id to go on behind, so its own token is followed.
    if (found.length === 0 && !isLast) {
      after = String(next)
      continue
    }
    return { results: isShort ? found : await withProperties(http, object, found, names, false), isLast }
  }
}

/** The same records with all their properties, by batches of ids; one that is gone meanwhile keeps what is known of it. */
async function withProperties(
  http: Http,
  object: string,
  records: readonly Rec[],
  properties: string[],
  archived: boolean,
): Promise<Rec[]> {
  const whole = new Map<string, Rec>()
  for (let from = 0; from < records.length; from += batchSize) {
    const inputs = records.slice(from, from + batchSize).map(({ id }) => ({ id }))
    // 207 when some are missing: they are named in `errors`, and simply not among the results.
    const { body } = await http.request({
      method: 'POST',
      path: path(http, 'objects', `/${object}/batch/read`),
      query: { archived },
      body: { inputs, properties },
    })
    for (const record of (body.results ?? []) as Rec[]) whole.set(String(record.id), record)
  }
  return records.map((record) => whole.get(String(record.id)) ?? record)
}

import { chunks } from '../../src/core/chunks.js'
import { Failure } from '../../src/core/failure.js'
import type { Fields, Http, HttpRequest, Page, ReadContext, Rec } from '../../src/core/types.js'
import { ahead } from '../../src/extract/ahead.js'
import { recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { pages, path } from './api.js'
import { propertyNames } from './fields.js'

/** Longer addresses are refused (414 from about 16,000 characters). */
const longestUrl = 14_000
/** A longer search body is refused (search guide). */
const longestSearch = 3_000
const listPage = 100
const searchSize = 200
const batchSize = 100
/** Times that a search may show an empty page and lead on. */
const empties = 5

/** Every record of an object by the list endpoint, in the order of ids; archived ones are another walk. */
export const listed =
  (object: string, archived: boolean) =>
  ({ http, resume, fields, now }: ReadContext): AsyncIterable<Page> => {
    const properties = propertyNames(fields)
    const named = properties.join(',')
    const isShort = encodeURIComponent(named).length < longestUrl
    const request: HttpRequest = {
      path: path(http, 'objects', `/${object}`),
      query: { limit: listPage, archived, properties: isShort ? named : 'hs_object_id' },
    }
    const listing = { http, paginator: pages, requests: () => [request], resume }
    // What is completed was read when its properties came.
    return isShort ? walk({ ...listing, now }) : ahead(completed(http, object, walk(listing), properties, archived), now)
  }

/** Pages that have ids only, with all properties. */
async function* completed(
  http: Http,
  object: string,
  listing: AsyncIterable<Page>,
  properties: readonly string[],
  archived: boolean,
): AsyncIterable<Page> {
  for await (const page of listing) yield { ...page, records: await batched(http, object, page.records, { properties }, { archived }) }
}

/**
 * Records that changed in a range. A search gives 10,000 results and no more, and many records share one instant, so it never
 * pages by offset: each request asks for what follows the highest id of the last one, in the order of ids. A record that is
 * edited meanwhile leaves the range and is found by the next one.
 */
export const searched = (object: string, changedBy: string) => (context: ReadContext) =>
  ahead(search(object, changedBy, context), context.now)

async function* search(object: string, changedBy: string, { http, slice, resume, fields }: ReadContext): AsyncIterable<Page> {
  const range = {
    propertyName: changedBy,
    operator: 'BETWEEN',
    value: String(Date.parse(slice.from!)),
    highValue: String(Date.parse(slice.to!) - 1),
  }
  let lastId = BigInt(String(resume?.lastId ?? 0))
  for (;;) {
    const filters = [range, ...(lastId > 0n ? [{ propertyName: 'hs_object_id', operator: 'GT', value: String(lastId) }] : [])]
    const { results, isLast } = await searchPage(http, object, filters, fields)
    const highest = highestOf(object, results, lastId)
    const records = isShort(filters, fields) ? results : await batched(http, object, results, { properties: propertyNames(fields) })
    yield { records, ...(isLast ? {} : { resume: { lastId: String(highest) } }) }
    if (isLast) return
    lastId = highest
  }
}

/** Ids are numbers of differing length: compared as text, "9" would stand after "151". Were they out of order, going on behind one would skip others. */
function highestOf(object: string, results: readonly Rec[], lastId: bigint): bigint {
  let highest = lastId
  for (const { id } of results) {
    const number = /^\d+$/.test(String(id)) ? BigInt(String(id)) : undefined
    if (number === undefined || number <= highest)
      throw new Failure('transient', `HubSpot's search of ${object} gave id ${String(id)} after ${highest}, though ids were to rise.`)
    highest = number
  }
  return highest
}

const question = (filters: unknown[], properties: string[]) => ({
  filterGroups: [{ filters }],
  sorts: [{ propertyName: 'hs_object_id', direction: 'ASCENDING' }],
  limit: searchSize,
  properties,
})
/** Does a search take all the properties? Else it is asked for ids only. */
const isShort = (filters: unknown[], fields: Fields) =>
  JSON.stringify(question(filters, propertyNames(fields))).length <= longestSearch - 100

async function searchPage(http: Http, object: string, filters: unknown[], fields: Fields): Promise<{ results: Rec[]; isLast: boolean }> {
  const body = question(filters, isShort(filters, fields) ? propertyNames(fields) : ['hs_object_id'])
  let after: string | undefined
  for (let seen = 0; seen < empties; seen++) {
    const asked = { ...body, ...(after === undefined ? {} : { after }) }
    const answer = await http.request({ method: 'POST', path: path(http, 'objects', `/${object}/search`), body: asked, budget: 'search' })
    const results = recordsAt('results')(answer.body)
    const next = pages.next(answer.body)
    if (results.length > 0 || next === undefined) return { results, isLast: next === undefined }
    // An empty page with a next one is not the end; there is no id to go on behind, so its own token is followed.
    after = next
  }
  throw new Failure('transient', `HubSpot's search of ${object} shows empty pages and no end.`)
}

/**
 * How many records of an object there are, archived ones left out: a search without filters counts past its 10,000 results
 * (search guide). Like every search it may lag by minutes.
 */
export const countOf =
  (object: string) =>
  async (http: Http): Promise<number | undefined> => {
    const body = { filterGroups: [], properties: ['hs_object_id'], limit: 1 }
    const answer = await http.request({ method: 'POST', path: path(http, 'objects', `/${object}/search`), body, budget: 'search' })
    const total = Number(answer.body.total ?? Number.NaN)
    return Number.isSafeInteger(total) ? total : undefined
  }

/** What is read of the records beside their ids. */
export interface Asked {
  properties?: readonly string[]
  propertiesWithHistory?: readonly string[]
  /** The ids are values of this property. */
  idProperty?: string
}

/**
 * The records once more, by batches of ids, with all that is asked for. One that is gone meanwhile is left out: half a record would blank
 * what is known of it.
 */
export async function batched(
  http: Http,
  object: string,
  records: readonly Rec[],
  asked: Asked,
  { archived = false, size = batchSize } = {},
): Promise<Rec[]> {
  const read = chunks(records, size).map(async (batch): Promise<Rec[]> => {
    const { body } = await http.request({
      method: 'POST',
      path: path(http, 'objects', `/${object}/batch/read`),
      query: { archived },
      body: { inputs: batch.map(({ id }) => ({ id })), properties: [], ...asked },
    })
    return found(body, `read some ${object}`)
  })
  return (await Promise.all(read)).flat()
}

/**
 * Results of a batch. 200 and 207 alike may carry errors: those that say only that something is not there are no failure.
 * @throws Failure `permanent` for other errors; `transient` when there is neither a result nor an error.
 */
export function found(body: Rec, what: string): Rec[] {
  const errors = Array.isArray(body.errors) ? (body.errors as Rec[]) : []
  const other = errors.find(({ category }) => category !== 'OBJECT_NOT_FOUND')
  if (other) throw new Failure('permanent', `HubSpot could not ${what}: ${String(other.category)}.`, { code: String(other.category) })
  const results = recordsAt('results')(body)
  const isCutShort = results.length === 0 && (errors.length === 0 || body.paging !== undefined)
  if (isCutShort) throw new Failure('transient', `HubSpot was to ${what}, and answered with nothing.`)
  return results
}

import { Failure } from '../../src/core/failure.js'
import type { Http, Page, ReadContext, Rec, Resume } from '../../src/core/types.js'
import { ahead } from '../../src/extract/ahead.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { path } from './api.js'
import { propertiesOf } from './fields.js'
import { readAll } from './read.js'

/**
 * Records by when they changed. HubSpot's search ends at 10,000 matches and pages by offset, so that rows slip while they are
 * edited; a bulk import gives tens of thousands of records one and the same time. So every page asks for the next ids after the
 * last one, within a fixed window of time: no wall, no slip, and a walk resumes from one number.
 */

/** Search guide of 2026-03-30, read 2026-11-23. */
const pageSize = 200
const bodyLimit = 3_000
const wall = 10_000
/** A body is measured with the longest id, so that its shape does not change on the way. */
const longestId = '9'.repeat(20)

/** After which id the next page begins; and where in it, once a page was empty though not the last. */
interface Place {
  lastId: string
  after?: number
}

export const search = (object: string, modified: string) => (context: ReadContext) => ahead(steps(object, modified, context))

async function* steps(object: string, modified: string, { http, slice, resume, fields }: ReadContext): AsyncIterable<Page> {
  const properties = propertiesOf(fields)
  const window = { value: millis(slice.from), highValue: String(Number(millis(slice.to)) - 1) }
  const ask = (names: readonly string[], { lastId, after }: Place) => ({
    filterGroups: [
      {
        filters: [
          { propertyName: modified, operator: 'BETWEEN', ...window },
          { propertyName: 'hs_object_id', operator: 'GT', value: lastId },
        ],
      },
    ],
    // Never by date: equal ones would loop or be skipped.
    sorts: [{ propertyName: 'hs_object_id', direction: 'ASCENDING' }],
    properties: names,
    limit: pageSize,
    ...(after === undefined ? {} : { after: String(after) }),
  })
  const fits = JSON.stringify(ask(properties, { lastId: longestId, after: wall })).length <= bodyLimit
  const names = fits ? properties : ['hs_object_id']

  for (let place: Place | undefined = placeOf(resume); place; ) {
    const { body } = await http.request({
      method: 'POST',
      path: path(http, 'objects', `/${object}/search`),
      body: ask(names, place),
      budget: 'search',
    })
    const found = recordsAt('results')(body)
    const next = following(place, found, body)
    const records = fits ? found : await readAll(http, object, found, properties)
    yield { records, ...(next ? { resume: { ...next } } : {}) }
    place = next
  }
}

/** Where the next page is; undefined at the end, which is an answer without `paging`. */
function following(place: Place, found: readonly Rec[], body: Rec): Place | undefined {
  let last = BigInt(place.lastId)
  for (const { id } of found) {
    // Ids are numbers of any length, written as texts: "9" comes before "151".
    const number = /^\d+$/.test(String(id)) ? BigInt(String(id)) : undefined
    if (number === undefined || number <= last) throw astray(`gave id ${String(id)} after ${last}, though ids were to rise`)
    last = number
  }
  const after = at(body, 'paging.next.after')
  if (after === undefined || after === null || after === '') return undefined
  if (found.length > 0) return { lastId: String(last) }
  // Records that were edited or archived since they were counted: what follows is beyond them, and not the end.
  const offset = Number(after)
  if (!(offset > (place.after ?? 0) && offset + pageSize <= wall))
    throw astray(`gave nothing but empty pages up to offset ${String(after)}`)
  return { lastId: place.lastId, after: offset }
}

const astray = (what: string) => new Failure('transient', `HubSpot’s search ${what}. Its index may be behind; the slice is read again.`)

const millis = (instant: string | undefined) => String(Date.parse(instant ?? ''))

function placeOf(resume: Resume | undefined): Place {
  if (resume?.lastId === undefined) return { lastId: '0' }
  return { lastId: String(resume.lastId), ...(typeof resume.after === 'number' ? { after: resume.after } : {}) }
}

import { Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Fields, Http, HttpRequest, Page, ReadContext, Rec, Slice } from '../../src/core/types.js'
import { ahead } from '../../src/extract/ahead.js'
import { nextLink, recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { path } from './api.js'
import { byBulk, NotByBulk } from './bulk.js'
import { deletedDate, fieldsOf, shaped } from './fields.js'
import { columnsFor, countOf, fitsUrl, type Reading, selectOf } from './soql.js'

const minuteMs = 60_000
/** A slice is halved down to this: ten minutes with too many changes are read by REST, whose pages need no whole result. */
export const smallestMs = 10 * minuteMs
/** Sees what is in the bin, what was merged away and archived activities, too. */
const query = (http: Http, q: string): HttpRequest => ({ path: path(http, '/queryAll'), query: { q } })
const pages = nextLink('records', 'nextRecordsUrl')

/** Records whose cursor lies in the slice: by REST, or from `bulkFrom` records on, and where the statement fits no URL, by a bulk job. */
export const changed = (reading: Reading, bulkFrom: number) => (context: ReadContext) =>
  ahead(read(reading, bulkFrom, context), context.now)

async function* read(reading: Reading, bulkFrom: number, context: ReadContext): AsyncIterable<Page> {
  let hasGiven = false
  try {
    for await (const page of readFields(reading, bulkFrom, context)) {
      hasGiven ||= page.records.length > 0
      yield page
    }
  } catch (error) {
    const isHidden = error instanceof Failure && error.where.code === 'INVALID_FIELD'
    if (!isHidden || hasGiven) throw error
    // A field went between the look at the object and the query. Once more with what is there now.
    const live = await fieldsOf(reading.object, reading.cursor)(context.http)
    yield* readFields(reading, bulkFrom, { ...context, resume: undefined, fields: common(context.fields, live) })
  }
}

const common = (fields: Fields, live: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => name === deletedDate || live[name] !== undefined))

async function* readFields(reading: Reading, bulkFrom: number, context: ReadContext): AsyncIterable<Page> {
  const { http, slice, resume, fields } = context
  const columns = columnsFor(fields)
  const soql = selectOf(reading, columns, slice)
  const shape = shaped(fields)
  const shapedPage = (page: Page): Page => ({ ...page, records: page.records.map(shape) })
  if (await isForBulk(reading, soql, bulkFrom, context)) {
    try {
      for await (const page of byBulk(context, soql, columns.length)) yield shapedPage(page)
      return
    } catch (error) {
      if (!(error instanceof NotByBulk) && !isStuck(error, slice)) throw error
      if (!fitsUrl(soql))
        throw new Failure(
          'config',
          `${reading.object} has more fields than fit a query by REST, and Salesforce reads it by no bulk job. Leave fields out: columns: { <field>: drop }.`,
          {},
          { cause: error },
        )
    }
  }
  const from = resume?.job === undefined ? resume : undefined
  for await (const page of walk({ http, paginator: pages, requests: () => [query(http, soql)], resume: from })) yield shapedPage(page)
}

/** A failed job whose slice is too short to be halved, or has no ends. */
const isStuck = (error: unknown, { from, to }: Slice): boolean =>
  error instanceof Failure &&
  error.reason === 'too_large' &&
  (from === undefined || to === undefined || Date.parse(to) - Date.parse(from) <= smallestMs)

/** A slice stays with the way that it began by. */
async function isForBulk(reading: Reading, soql: string, bulkFrom: number, { http, slice, resume }: ReadContext): Promise<boolean> {
  if (resume !== undefined) return resume.job !== undefined
  if (!fitsUrl(soql)) return true
  try {
    return (await counted(http, countOf(reading, slice))) >= bulkFrom
  } catch (error) {
    // What cannot even be counted in time is large.
    if (error instanceof Failure && error.reason === 'too_large') return true
    throw error
  }
}

async function counted(http: Http, soql: string, resource = '/queryAll'): Promise<number> {
  const { body } = await http.request({ path: path(http, resource), query: { q: soql } })
  return Number(body.totalSize)
}

/** How many records there are, those in the bin left out, archived activities counted. */
export const total =
  ({ object }: Reading, hasBin: boolean) =>
  (http: Http): Promise<number | undefined> =>
    counted(http, `SELECT COUNT() FROM ${object}${hasBin ? ' WHERE IsDeleted = false' : ''}`)

/** The oldest record's cursor: SystemModstamp is indexed. */
export const earliest =
  ({ object, cursor }: Reading) =>
  async (http: Http, from?: string): Promise<string | undefined> => {
    const where = from === undefined ? '' : ` WHERE ${cursor} >= ${from}`
    const { body } = await http.request(query(http, `SELECT ${cursor} FROM ${object}${where} ORDER BY ${cursor} LIMIT 1`))
    const value = recordsAt('records')(body)[0]?.[cursor]
    return typeof value === 'string' ? new Date(value).toISOString() : undefined
  }

/** Deletions are logged for fifteen days. */
const logMs = 15 * dayMs
/** Ids in one statement: with their quotes, encoded, they stay below the longest URL. */
const idsAtOnce = 400

/**
 * Records that are gone for good: deleted past the bin, or purged from it. Of those that are still in the bin, changes bring the
 * record whole; here they are left out, since the log knows nothing but their ids.
 */
export const purged = ({ object, cursor }: Reading) =>
  async function* ({ http, slice }: ReadContext): AsyncIterable<Page> {
    const toMs = Date.parse(slice.to!)
    // Asked for further back it would be refused; a range must have a minute.
    const fromMs = Math.min(Math.max(Date.parse(slice.from!), toMs - logMs), toMs - minuteMs)
    const range = { start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString() }
    const { body } = await http.request({ path: path(http, `/sobjects/${object}/deleted/`), query: range })
    const log = recordsAt('deletedRecords')(body)
    const gone: Rec[] = []
    for (let i = 0; i < log.length; i += idsAtOnce) {
      const part = log.slice(i, i + idsAtOnce)
      const ids = part.map(({ id }) => `'${String(id)}'`).join(',')
      const kept = new Set<unknown>()
      for await (const { records } of walk({
        http,
        paginator: pages,
        requests: () => [query(http, `SELECT Id FROM ${object} WHERE Id IN (${ids})`)],
      }))
        for (const { Id } of records) kept.add(Id)
      gone.push(...part.filter(({ id }) => !kept.has(id)))
    }
    const at = (date: unknown) => String(date).replace(/\+0000$/, 'Z')
    yield { records: gone.map(({ id, deletedDate: date }) => ({ Id: id, IsDeleted: true, [cursor]: at(date), [deletedDate]: at(date) })) }
  }

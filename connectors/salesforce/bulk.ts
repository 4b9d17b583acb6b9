import { Failure } from '../../src/core/failure.js'
import type { Http, Page, ReadContext, Rec } from '../../src/core/types.js'
import { path } from './api.js'
import { rowsOf } from './csv.js'

/** Where a bulk reading stands: the job, and the way on within its results. Stored before anything of it is read. */
interface Place {
  job: string
  /** Results are given only to the version that made the job (409 otherwise). */
  version: string
  /** Looks at the job so far. */
  polls: number
  /** What the job found; known once it is complete. */
  total?: number
  /** Records read so far, and where the next page is. */
  read: number
  locator?: string
  isRead?: true
}

/** The vendor took no job for this object, for a reason that REST does not share: its records are read there. */
export class NotByBulk extends Error {}

/** Codes of a refused job after which REST may still read: the object or a field is not served, or the day's jobs are spent. */
const notByBulk: ReadonlySet<string | undefined> = new Set(['INVALIDENTITY', 'API_ERROR', 'FUNCTIONALITY_NOT_ENABLED', 'LIMIT_EXCEEDED'])
/** Values of one result page: what is in memory at once. */
const cells = 500_000
/** Looks at a job that are close together, each after twice as long as the one before it, from a second on. */
const closeLooks = 6
/** More than an attempt waits itself: it hands the wait back, and its place in the worker is free. */
const longPauseMs = 120_000
const pauseMs = (looks: number) => (looks > closeLooks ? longPauseMs : 1_000 * 2 ** (looks - 1))

/**
 * Everything a statement finds, by a job of Bulk API 2.0. The job's id goes into the checkpoint before its results are asked for, so
 * that whoever goes on finds it. While Salesforce works the slice rests: a minute in all by itself, then two at a time.
 * @throws NotByBulk; Failure `too_large` when the job failed, `throttled` with the instant of the next look
 */
export async function* byBulk({ http, resume }: ReadContext, soql: string, columns: number): AsyncIterable<Page> {
  const version = String(http.settings.apiVersion)
  let place = placeOf(resume, version)
  for (let jobs = 0; ; jobs++) {
    if (place === undefined) {
      place = { job: await createJob(http, soql), version, polls: 0, read: 0 }
      yield { records: [], resume: { ...place }, isDurable: true }
    }
    try {
      yield* results(http, place, columns)
      return
    } catch (error) {
      // Jobs live seven days, and a person may abort or delete one: then there is another.
      const isGone = error instanceof Failure && error.where.status === 404
      if (!isGone || jobs > 0) throw error
      place = undefined
    }
  }
}

const placeOf = (resume: ReadContext['resume'], version: string): Place | undefined =>
  resume?.job !== undefined && resume.version === version ? ({ ...resume } as unknown as Place) : undefined

async function createJob(http: Http, query: string): Promise<string> {
  // What is in the bin comes along, as do archived activities.
  const body = { operation: 'queryAll', query, contentType: 'CSV', columnDelimiter: 'COMMA', lineEnding: 'LF' }
  try {
    return String((await http.request({ method: 'POST', path: path(http, '/jobs/query'), body })).body.id)
  } catch (error) {
    if (error instanceof Failure && error.where.status === 400 && notByBulk.has(error.where.code))
      throw new NotByBulk(error.message, { cause: error })
    throw error
  }
}

async function* results(http: Http, begun: Place, columns: number): AsyncIterable<Page> {
  let place = begun
  // Whoever begins or goes on has waited already, and looks at once.
  for (let afterMs = 0; place.total === undefined; afterMs = pauseMs(place.polls)) {
    const total = await look(http, place, afterMs)
    place = total === undefined ? { ...place, polls: place.polls + 1 } : { ...place, total }
    if (total === undefined) yield { records: [], resume: { ...place } }
  }
  while (place.isRead !== true) {
    const { records, next } = await resultPage(http, place, columns)
    const read = place.read + records.length
    if (next === undefined && read !== place.total)
      throw new Failure('transient', `Salesforce gave ${read} records of bulk job ${place.job}, which found ${place.total}.`)
    const { locator: _, ...rest } = place
    place = { ...rest, read, ...(next === undefined ? { isRead: true } : { locator: next }) }
    // The last page is committed before the job goes.
    yield { records, resume: { ...place }, ...(next === undefined ? { isDurable: true } : {}) }
  }
  await removeJob(http, place.job)
  yield { records: [] }
}

/** What a job found, once it is complete. @throws Failure `throttled` where the next look is too far away to wait for here */
async function look(http: Http, { job }: Place, afterMs: number): Promise<number | undefined> {
  const { body } = await http.request({ path: path(http, `/jobs/query/${job}`), afterMs })
  const state = String(body.state)
  if (state === 'JobComplete') return Number(body.numberRecordsProcessed)
  if (state === 'Aborted') throw new Failure('transient', `Bulk job ${job} was aborted in Salesforce.`, { status: 404 })
  if (state !== 'Failed') return undefined
  await removeJob(http, job)
  throw failed(job, typeof body.errorMessage === 'string' ? body.errorMessage : '')
}

/** `InvalidBatch : Failed to process query: INVALID_FIELD: …`; the text may be missing. */
function failed(job: string, message: string): Failure {
  const code = /\b([A-Z]+(?:_[A-Z]+)+)\b/.exec(message)?.[1] ?? 'Failed'
  const isClosed = code === 'INVALID_FIELD' || code === 'INVALID_TYPE'
  return new Failure(isClosed ? 'permission' : 'too_large', `Bulk job ${job} failed in Salesforce (${code}).`, { code })
}

async function resultPage(http: Http, { job, locator }: Place, columns: number): Promise<{ records: Rec[]; next: string | undefined }> {
  const maxRecords = Math.min(Math.max(Math.floor(cells / columns), 1_000), 25_000)
  const { body, headers } = await http.request({
    path: path(http, `/jobs/query/${job}/results`),
    query: { maxRecords, locator },
    answer: 'text',
  })
  const records = rowsOf(body, 'results')
  const told = Number(headers['sforce-numberofrecords'])
  if (records.length !== told) throw new Failure('transient', `Salesforce gave ${records.length} records of ${told} that it told of.`)
  // The end is the word "null".
  const next = headers['sforce-locator']
  return { records, next: next === undefined || next === 'null' ? undefined : next }
}

/** Jobs show in the customer's setup pages: what is read is taken away. That it has gone already, or stays, changes nothing. */
async function removeJob(http: Http, job: string): Promise<void> {
  try {
    await http.request({ method: 'DELETE', path: path(http, `/jobs/query/${job}`) })
  } catch (error) {
    if (!(error instanceof Failure) || (error.where.status !== 404 && error.where.status !== 400)) throw error
  }
}

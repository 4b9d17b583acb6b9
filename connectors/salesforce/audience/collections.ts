/** sObject Collections: 200 records a call, answered in their order (REST guide). */
import { chunks } from '../../../src/core/chunks.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http, HttpRequest, Rec } from '../../../src/core/types.js'
import { path } from '../api.js'
import { mayPass, type RowResult } from './rows.js'

export const mostRecords = 200
/** Locks are over in seconds. Rows that meet one again and again are refused, and tried by the next push. */
const tries = 3
const secondMs = 1_000

interface Result {
  id?: string
  success: boolean
  errors?: { statusCode: string; message: string; fields?: string[] }[]
}

/** Makes or updates records. @param rows by what names them */
export const save = (
  http: Http,
  call: Pick<HttpRequest, 'method' | 'path' | 'headers'>,
  rows: ReadonlyMap<string, Rec>,
): Promise<Map<string, RowResult>> =>
  inCalls(http, [...rows.keys()], (some) => ({
    ...call,
    path: path(http, call.path),
    body: { allOrNone: false, records: some.map((name) => rows.get(name)!) },
  }))

/** Deletes records; who is gone already is no failure. @returns those that were refused, by id */
export async function erase(http: Http, ids: readonly string[]): Promise<Map<string, RowResult>> {
  const results = await inCalls(http, ids, (some) => ({
    method: 'DELETE',
    path: path(http, '/composite/sobjects'),
    query: { ids: some.join(','), allOrNone: false },
  }))
  const gone = new Set(['NOT_FOUND', 'ENTITY_IS_DELETED'])
  return new Map([...results].filter(([, result]) => 'code' in result && !gone.has(result.code)))
}

/**
 * Sends records in calls of 200, one after the other, since they lock their parents; those that met a lock again, a second or two later.
 * @returns what was said of each, by its name
 */
async function inCalls(
  http: Http,
  names: readonly string[],
  callOf: (some: readonly string[]) => HttpRequest,
): Promise<Map<string, RowResult>> {
  const results = new Map<string, RowResult>()
  let left = names
  for (let tried = 0; tried < tries && left.length > 0; tried++) {
    for (const some of chunks(left, mostRecords)) {
      const { body } = await http.request({ ...callOf(some), ...(tried === 0 ? {} : { afterMs: secondMs * tried }) })
      for (const [i, result] of answersOf(body, some.length).entries()) results.set(some[i]!, result)
    }
    left = left.filter((name) => mayPass(results.get(name)!))
  }
  return results
}

function answersOf(body: Rec, sent: number): RowResult[] {
  const answers = body as unknown as Result[]
  if (!Array.isArray(answers) || answers.length !== sent)
    throw new Failure(
      'transient',
      `Salesforce answered ${Array.isArray(answers) ? answers.length : 'no'} rows of ${sent} that it was sent.`,
    )
  return answers.map(({ id, success, errors }) => {
    if (success && id !== undefined) return { id }
    const { statusCode, message, fields } = errors?.[0] ?? { statusCode: 'UNKNOWN_EXCEPTION', message: 'no reason was given' }
    return { code: statusCode, message, fields: fields ?? [] }
  })
}

/** sObject Collections: 200 records a call, answered in their order (REST guide). */
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

/**
 * Sends records in calls of 200, one after the other, since they lock their parents; those that met a lock again, a second or two later.
 * @param rows by what names them
 */
export async function save(
  http: Http,
  call: Pick<HttpRequest, 'method' | 'path' | 'headers'>,
  rows: ReadonlyMap<string, Rec>,
): Promise<Map<string, RowResult>> {
  const results = new Map<string, RowResult>()
  let left = [...rows]
  for (let tried = 0; tried < tries && left.length > 0; tried++) {
    for (const some of chunks(left, mostRecords)) {
      const { body } = await http.request({
        ...call,
        path: path(http, call.path),
        body: { allOrNone: false, records: some.map(([, record]) => record) },
        ...(tried === 0 ? {} : { afterMs: secondMs * tried }),
      })
      const answers = answersOf(body, some.length)
      for (const [i, [name]] of some.entries()) results.set(name, answers[i]!)
    }
    left = left.filter(([name]) => mayPass(results.get(name)!))
  }
  return results
}

/** Deletes records; who is gone already is no failure. @returns those that were refused, by id */
export async function erase(http: Http, ids: readonly string[]): Promise<Map<string, RowResult>> {
  const results = new Map<string, RowResult>()
  let left = ids
  for (let tried = 0; tried < tries && left.length > 0; tried++) {
    for (const some of chunks(left, mostRecords)) {
      const query = { ids: some.join(','), allOrNone: false }
      const wait = tried === 0 ? {} : { afterMs: secondMs * tried }
      const { body } = await http.request({ method: 'DELETE', path: path(http, '/composite/sobjects'), query, ...wait })
      for (const [i, result] of answersOf(body, some.length).entries()) results.set(some[i]!, result)
    }
    left = left.filter((id) => mayPass(results.get(id)!))
  }
  const gone = new Set(['NOT_FOUND', 'ENTITY_IS_DELETED'])
  return new Map([...results].filter(([, result]) => 'code' in result && !gone.has(result.code)))
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

export const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))

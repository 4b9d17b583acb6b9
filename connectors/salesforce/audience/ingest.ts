/** Upserts of thousands, by ingest jobs of Bulk API 2.0. A job runs when it is closed, and it is closed when its id stands in the ledger. */
import { type Answer, type ChangeAction, type Job, later, type Outgoing, type Target } from '../../../src/core/audience.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http, Rec, Value } from '../../../src/core/types.js'
import { path } from '../api.js'
import { rowsOf } from '../csv.js'
import { distinct, folded, keyOf, recordOf, type Shape, shapeOf, upsert } from './record.js'
import { mayPass, outcomesOf, type RowError, type RowResult } from './rows.js'

const look = { firstMs: 1_000, factor: 1.5, mostMs: 30_000 }

/** Makes a job and fills it. Nothing of it has run yet: what breaks off before its id is stored is made anew. */
export async function submit(http: Http, target: Target, members: readonly Outgoing[]): Promise<Job> {
  const shape = shapeOf(target)
  const { body } = await http.request({
    method: 'POST',
    path: path(http, '/jobs/ingest'),
    body: {
      object: target.id,
      operation: 'upsert',
      externalIdFieldName: shape.match,
      contentType: 'CSV',
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
    },
  })
  const id = String(body.id)
  try {
    await http.request({
      method: 'PUT',
      path: path(http, `/jobs/ingest/${id}/batches`),
      text: csvOf(shape, members),
      headers: { 'content-type': 'text/csv; charset=UTF-8' },
      answer: 'none',
      // A job takes one upload. Where nobody knows whether it came, there is another job.
      once: true,
    })
  } catch (error) {
    await http.request({ method: 'PATCH', path: path(http, `/jobs/ingest/${id}`), body: { state: 'Aborted' } }).catch(() => undefined)
    throw error
  }
  return { id, askAgainMs: look.firstMs }
}

/** Rows of one parent stand together: batches run side by side, and lock it. */
function csvOf(shape: Shape, members: readonly Outgoing[]): string {
  const parentOf = ({ fields }: Outgoing) => JSON.stringify(shape.parents.map((name) => fields[name]))
  const sorted = shape.parents.length === 0 ? members : [...members].sort((a, b) => (parentOf(a) < parentOf(b) ? -1 : 1))
  const rows = sorted.map((member) => flat(recordOf(shape, member)))
  const header = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [header.map(quoted), ...rows.map((row) => header.map((name) => cellOf(row[name], name in row)))]
  return lines.map((cells) => `${cells.join(',')}\n`).join('')
}

const flat = (record: Rec): Rec =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null ? Object.entries(value).map(([key, one]) => [`${name}.${key}`, one]) : [[name, value]],
    ),
  )

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
/** An empty cell changes nothing; `#N/A` empties. */
const cellOf = (value: Value, isGiven: boolean): string => (isGiven ? (value === null ? '#N/A' : quoted(String(value))) : '')

/** How a job stands. Answers are matched by their key: rows come back in another order. */
export async function poll(http: Http, target: Target, job: Job, _action: ChangeAction, members: readonly Outgoing[]): Promise<Answer> {
  const state = await stateOf(http, job.id)
  const again = { outcomes: [], job: later(job, look) }
  if (state.name === 'Open') {
    const body = { state: 'UploadComplete' }
    await http.request({ method: 'PATCH', path: path(http, `/jobs/ingest/${job.id}`), body, once: true })
    return again
  }
  if (state.name === 'Aborted') throw new Failure('permanent', `Bulk job ${job.id} was aborted in Salesforce.`)
  if (state.name !== 'JobComplete' && state.name !== 'Failed' && state.name !== 'gone') return again
  const { rows } = distinct(target, members)
  // Jobs live seven days, and a person may delete one: what became of its rows is learnt by sending them again.
  const results = state.name === 'gone' ? new Map<string, RowResult>() : await resultsOf(http, target, job, rows)
  if (state.name === 'Failed' && results.size === 0 && /InvalidBatch/i.test(state.error))
    throw new Failure('config', `Salesforce refused bulk job ${job.id} whole: ${state.error.slice(0, 200)}`)
  // What met a lock, and what a failed job left: once more, without a job. Had it been taken, it would be taken again.
  const left = rows.filter(({ ref }) => !results.has(ref) || mayPass(results.get(ref)!))
  for (const [ref, result] of await upsert(http, target, left)) results.set(ref, result)
  return { outcomes: outcomesOf(rows, results) }
}

async function stateOf(http: Http, id: string): Promise<{ name: string; error: string }> {
  const { status, body } = await http.request({ path: path(http, `/jobs/ingest/${id}`), refusals: [404] })
  return status === 404 ? { name: 'gone', error: '' } : { name: String(body.state), error: String(body.errorMessage ?? '') }
}

/** Taken and refused rows by member; a job that failed may have taken some. @throws Failure `transient` where the files do not add up */
async function resultsOf(http: Http, target: Target, job: Job, members: readonly Outgoing[]): Promise<Map<string, RowResult>> {
  const shape = shapeOf(target)
  const byKey = new Map(members.map((member) => [folded(keyOf(shape, member)!), member.ref]))
  const results = new Map<string, RowResult>()
  const read = (name: string) => fileOf(http, job.id, name)
  const [taken, failed, rest] = [await read('successfulResults'), await read('failedResults'), await read('unprocessedrecords')]
  if (taken.length + failed.length + rest.length !== members.length)
    throw new Failure(
      'transient',
      `Bulk job ${job.id} tells of ${taken.length} rows taken, ${failed.length} refused and ${rest.length} left of ${members.length} that were sent.`,
    )
  const note = (row: Rec, result: RowResult) => {
    const ref = byKey.get(folded(String(row[shape.match])))
    if (ref !== undefined) results.set(ref, result)
  }
  for (const row of taken) note(row, { id: String(row.sf__Id) })
  for (const row of failed) note(row, errorOf(String(row.sf__Error)))
  return results
}

async function fileOf(http: Http, id: string, name: string): Promise<Rec[]> {
  const { status, body } = await http.request({ path: path(http, `/jobs/ingest/${id}/${name}`), answer: 'text' })
  return status === 204 ? [] : rowsOf(body, name)
}

/** `CODE:message:field1,field2 --` */
export function errorOf(text: string): RowError {
  const said = text.replace(/\s*--\s*$/, '')
  const code = said.slice(0, Math.max(0, said.indexOf(':'))) || 'UNKNOWN_EXCEPTION'
  const [, message = said, fields = ''] = /^[^:]*:([\s\S]*?)(?::([\w,. ]*))?$/.exec(said) ?? []
  return { code, message, fields: fields.split(',').filter((name) => name !== '') }
}

/** Bulk API 2.0 ingest jobs: made, filled once, closed, worked through, and told of by three files. Upserts only. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import type { Session } from './access.js'
import { linesOf } from './csv.js'
import { jsonType, notFound, refuse } from './errors.js'
import { idOf } from './ids.js'
import type { Closed } from './org.js'
import { restInstant, second } from './rows.js'
import type { Given, Saving } from './saving.js'
import type { SField, SObject } from './schema.js'
import { quoted } from './show.js'

type State = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted'

interface Job {
  id: string
  object: SObject
  key: SField
  user: string
  closed: Closed
  version: string
  state: State
  createdMs: number
  /** What was uploaded; a job takes one upload. */
  text?: string
  polls: number
  error?: string
  header: string[]
  successful: string[][]
  failed: string[][]
  unprocessed: string[][]
}

const batchRows = 10_000
/** Query jobs have the numbers below. */
const firstNumber = 1_000_000

export class IngestJobs {
  readonly switches = {
    /** Looks at a job until it has ended. */
    polls: 2,
    /** The next job fails after so many rows; the rest stay unprocessed. */
    failAfter: undefined as number | undefined,
    /** The next job leaves the failed rows out of its files. */
    forgets: false,
  }
  private readonly jobs = new Map<string, Job>()

  constructor(private readonly saving: Saving) {}

  create(request: Request, { closed, user }: Session, version: string): Reply {
    const body = jsonObject(request) ?? {}
    if (body.operation !== 'upsert') throw refuse(400, 'INVALIDJOB', `The sandbox knows no operation ${String(body.operation)}`)
    const { object, key } = this.saving.keyOf(String(body.object), String(body.externalIdFieldName), closed)
    const id = idOf('750', firstNumber + this.jobs.size)
    const job: Job = {
      ...{ id, object, key, user, closed, version, state: 'Open' as const, createdMs: second(this.saving.org.nowMs()), polls: 0 },
      ...{ header: [], successful: [], failed: [], unprocessed: [] },
    }
    this.jobs.set(id, job)
    return json({ ...shown(job), contentUrl: `services/data/v${version}/jobs/ingest/${id}/batches` })
  }

  upload(request: Request): Reply {
    const job = this.job(request)
    if (!/^text\/csv/.test(String(request.headers['content-type'])))
      throw refuse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Content-Type must be text/csv')
    if (job.state !== 'Open' || job.text !== undefined) throw refuse(400, 'INVALIDJOBSTATE', 'The job takes no more data')
    job.text = request.text
    return { status: 201 }
  }

  change(request: Request): Reply {
    const job = this.job(request)
    const state = jsonObject(request)?.state
    if (state !== 'UploadComplete' && state !== 'Aborted')
      throw refuse(400, 'INVALIDJOB', 'Only UploadComplete and Aborted can be asked for')
    const isOpen = job.state === 'Open' || (state === 'Aborted' && ['UploadComplete', 'InProgress'].includes(job.state))
    if (!isOpen) throw refuse(400, 'INVALIDJOBSTATE', `${state} cannot be asked for in state ${job.state}`)
    job.state = state
    return json(shown(job))
  }

  get(request: Request): Reply {
    const job = this.job(request)
    if (job.state === 'UploadComplete' || job.state === 'InProgress') {
      if (++job.polls < this.switches.polls) job.state = 'InProgress'
      else this.work(job)
    }
    return json({ ...shown(job), ...counts(job) })
  }

  list = (): Reply => json({ done: true, records: [...this.jobs.values()].map(shown), nextRecordsUrl: null })

  remove(request: Request): Reply {
    const job = this.job(request)
    if (job.state === 'Open' || job.state === 'InProgress') throw refuse(400, 'INVALIDJOBSTATE', 'The job is not terminated')
    this.jobs.delete(job.id)
    return { status: 204 }
  }

  /** Rows come in another order than they went. */
  results(request: Request): Reply {
    const job = this.job(request)
    if (!['JobComplete', 'Failed', 'Aborted'].includes(job.state))
      throw refuse(400, 'INVALIDJOBSTATE', `Results of a job in state ${job.state} cannot be read`)
    const files: Record<string, [string[], string[][]]> = {
      successfulResults: [['sf__Id', 'sf__Created'], job.successful],
      failedResults: [['sf__Id', 'sf__Error'], job.failed],
      unprocessedrecords: [[], job.unprocessed],
    }
    const file = files[request.params.file ?? '']
    if (!file) throw notFound()
    const [more, rows] = file
    if (rows.length === 0) return { status: 204 }
    const lines = [[...more, ...job.header], ...[...rows].reverse()]
    return { status: 200, contentType: 'text/csv', body: lines.map((cells) => `${cells.map(quoted).join(',')}\n`).join('') }
  }

  private work(job: Job): void {
    const [header = [], ...rows] = linesOf(job.text ?? '')
    const { object, key, closed } = job
    job.header = header
    const odd = this.saving.unknown(object, nested(header, header), closed)
    if (odd !== undefined) {
      Object.assign(job, { state: 'Failed', error: `InvalidBatch : Field name not found : ${odd}`, unprocessed: rows })
      return
    }
    const until = this.switches.failAfter ?? rows.length
    if (this.switches.failAfter !== undefined) job.error = 'TooManyLockFailure : Too many lock failure 200'
    job.unprocessed = rows.slice(until)
    for (let from = 0; from < until; from += batchRows) {
      const batch = rows.slice(from, Math.min(from + batchRows, until))
      const answers = this.saving.upsert(
        object,
        key,
        batch.map((cells) => nested(header, cells)),
      )
      for (const [i, answer] of answers.entries()) {
        if (answer.success) job.successful.push([answer.id, String(answer.created), ...batch[i]!])
        else if (!this.switches.forgets) {
          const [{ statusCode, message, fields }] = answer.errors as [(typeof answer.errors)[number]]
          job.failed.push(['', `${statusCode}:${message}:${fields.join(',')} --`, ...batch[i]!])
        }
      }
    }
    job.state = this.switches.failAfter === undefined ? 'JobComplete' : 'Failed'
    this.switches.failAfter = undefined
  }

  private job({ params }: Request): Job {
    const job = this.jobs.get(params.id ?? '')
    if (!job) throw notFound()
    return job
  }
}

/** `Account.Ext_Key__c` names a parent; an empty cell changes nothing, `#N/A` empties. */
function nested(header: readonly string[], cells: readonly string[]): Given {
  const record: Record<string, unknown> = {}
  for (const [i, name] of header.entries()) {
    const cell = cells[i] ?? ''
    if (cell === '') continue
    const value = cell === '#N/A' ? null : cell
    const [parent = '', key] = name.split('.')
    record[parent] = key === undefined ? value : { [key]: value }
  }
  return record
}

const json = (body: unknown): Reply => ({ status: 200, body, contentType: jsonType })

function shown({ id, object, key, user, createdMs, state, version, error }: Job) {
  const at = restInstant(createdMs)
  return {
    ...{ id, operation: 'upsert', object: object.name, createdById: user, createdDate: at, systemModstamp: at, state },
    ...{ externalIdFieldName: key.name, concurrencyMode: 'Parallel', contentType: 'CSV', apiVersion: Number(version), jobType: 'V2Ingest' },
    ...{ lineEnding: 'LF', columnDelimiter: 'COMMA' },
    ...(state === 'Failed' && error ? { errorMessage: error } : {}),
  }
}

const counts = ({ successful, failed }: Job) => ({
  numberRecordsProcessed: successful.length + failed.length,
  numberRecordsFailed: failed.length,
  ...{ retries: 0, totalProcessingTime: 412, apiActiveProcessingTime: 301, apexProcessingTime: 0 },
})

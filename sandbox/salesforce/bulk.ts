/** Bulk API 2.0 query jobs: made, worked through, read page by page as CSV, and taken away. */
import { jsonObject, Refused, type Reply, type Request } from '../kit/http.js'
import { jsonType, notFound, refuse } from './errors.js'
import { type Found, find } from './find.js'
import { idOf } from './ids.js'
import type { Limits } from './limits.js'
import type { Closed, Org } from './org.js'
import { restInstant, second } from './rows.js'
import { csvLine, quoted } from './show.js'
import { parse, type Query } from './soql.js'

type State = 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted'

interface Job {
  id: string
  query: Query
  operation: string
  version: string
  user: string
  state: State
  createdMs: number
  found: Found
  polls: number
  error: string | undefined
}

const keptMs = 7 * 86_400_000

export class QueryJobs {
  readonly switches = {
    /** Looks at a job until it is complete. */
    polls: 2,
    /** Records of a result page where none are asked for. */
    pageSize: 50_000,
    /** So many of the next jobs fail; with the reason, or without as it also happens. */
    failing: 0,
    failure: 'InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long.' as string | null,
    /** A job that finds more rows takes too long and fails. */
    slowAbove: Number.POSITIVE_INFINITY,
  }
  private readonly jobs = new Map<string, Job>()

  constructor(
    private readonly org: Org,
    private readonly limits: Limits,
  ) {}

  create(request: Request, closed: Closed, user: string, version: string): Reply {
    const body = jsonObject(request)
    const operation = String(body?.operation)
    if (operation !== 'query' && operation !== 'queryAll') throw refuse(400, 'INVALIDJOB', `Unsupported operation ${operation}`)
    const query = parse(String(body?.query ?? ''))
    if (query.fields === undefined || query.offset > 0)
      throw refuse(400, 'API_ERROR', 'Bulk API V2 Query does not support aggregate functions, GROUP BY or OFFSET')
    const found = find(this.org, query, operation === 'queryAll', closed)
    if (!found.object.bulk) throw refuse(400, 'INVALIDENTITY', `Entity '${found.object.name}' is not supported by the Bulk API.`)
    const odd = found.columns.find(({ field: { type } }) => ['address', 'location', 'base64'].includes(type))
    if (odd !== undefined) throw refuse(400, 'FUNCTIONALITY_NOT_ENABLED', 'Selecting compound data not supported in Bulk Query')
    if (this.limits.queryJobs >= this.limits.mostQueryJobs)
      throw refuse(400, 'LIMIT_EXCEEDED', `Max bulk v2 query jobs (${this.limits.mostQueryJobs}) per 24 hrs has been reached`)
    this.limits.queryJobs++
    const fails = this.switches.failing > 0 || found.rows.length > this.switches.slowAbove
    if (this.switches.failing > 0) this.switches.failing--
    const id = idOf('750', this.jobs.size + 1)
    const job: Job = {
      id,
      query,
      operation,
      version,
      user,
      state: 'UploadComplete',
      createdMs: second(this.org.nowMs()),
      found,
      polls: 0,
      error: fails ? (this.switches.failure ?? '') : undefined,
    }
    this.jobs.set(id, job)
    return json(shown(job, false))
  }

  get(request: Request): Reply {
    const job = this.job(request)
    if (job.state === 'UploadComplete' || job.state === 'InProgress') {
      job.polls++
      job.state = job.polls < this.switches.polls ? 'InProgress' : job.error === undefined ? 'JobComplete' : 'Failed'
    }
    return json(shown(job, true))
  }

  list(): Reply {
    return json({ done: true, records: [...this.jobs.values()].map((job) => shown(job, true)), nextRecordsUrl: null })
  }

  results(request: Request, version: string): Reply {
    const { job, at, size } = this.place(request, version)
    const { columns, rows } = job.found
    const page = rows.slice(at, at + size)
    const lines = [columns.map(({ path }) => quoted(path)).join(','), ...page.map((row) => csvLine(columns, row))]
    const isLast = at + size >= rows.length
    return {
      status: 200,
      contentType: 'text/csv',
      headers: { 'sforce-numberofrecords': String(page.length), 'sforce-locator': isLast ? 'null' : locatorOf(at + size) },
      body: `${lines.join('\n')}\n`,
    }
  }

  /** Up to five places at once, so that pages may be read side by side. */
  resultPages(request: Request, version: string): Reply {
    const { job, at, size } = this.place(request, version)
    const all: number[] = []
    for (let from = at; from < Math.max(1, job.found.rows.length) && all.length < 5; from += size) all.push(from)
    const end = (all.at(-1) ?? at) + size
    const done = end >= job.found.rows.length
    const url = `/services/data/v${version}/jobs/query/${job.id}`
    return json({
      resultPages: all.map((from) => ({ resultUrl: `${url}/results?locator=${locatorOf(from)}` })),
      ...(done ? {} : { nextRecordsUrl: `${url}/resultPages?locator=${locatorOf(end)}` }),
      done,
    })
  }

  private place(request: Request, version: string): { job: Job; at: number; size: number } {
    const job = this.job(request)
    if (version !== job.version) throw refuse(409, 'INVALIDJOBSTATE', 'The API version of the request must match the version of the job')
    if (job.state !== 'JobComplete') throw refuse(400, 'INVALIDJOBSTATE', `Results of a job in state ${job.state} cannot be read`)
    const asked = Number(request.query.get('maxRecords') ?? this.switches.pageSize)
    const size = Math.max(1, Math.min(asked, this.switches.pageSize))
    const locator = request.query.get('locator')
    const at = locator === null ? 0 : Number(Buffer.from(locator, 'base64').toString())
    if (!Number.isInteger(at)) throw refuse(400, 'INVALIDJOB', 'Invalid locator')
    return { job, at, size: request.halfPage ? Math.ceil(size / 2) : size }
  }

  change(request: Request): Reply {
    const job = this.job(request)
    if (jsonObject(request)?.state !== 'Aborted') throw refuse(400, 'INVALIDJOB', 'Only Aborted can be asked for')
    if (job.state !== 'UploadComplete' && job.state !== 'InProgress')
      throw refuse(400, 'INVALIDJOBSTATE', 'Aborting already Completed Job not allowed')
    job.state = 'Aborted'
    return json(shown(job, true))
  }

  remove(request: Request): Reply {
    const job = this.job(request)
    if (job.state === 'UploadComplete' || job.state === 'InProgress')
      throw refuse(400, 'API_ERROR', 'Error encountered when deleting the job because the job is not terminated')
    this.jobs.delete(job.id)
    return { status: 204 }
  }

  /** Jobs that nobody took away. */
  get standing(): readonly string[] {
    return [...this.jobs.keys()]
  }

  private job({ params }: Request): Job {
    const job = this.jobs.get(params.id ?? '')
    if (job === undefined || job.createdMs < this.org.nowMs() - keptMs) throw new Refused(notFound().reply)
    return job
  }
}

const json = (body: object): Reply => ({ status: 200, body, contentType: jsonType })
const locatorOf = (at: number) => Buffer.from(String(at)).toString('base64').replace(/=+$/, '')

function shown({ id, operation, found, user, createdMs, state, version, error }: Job, isWhole: boolean): object {
  const at = restInstant(createdMs)
  const isDone = state === 'JobComplete'
  return {
    id,
    operation,
    object: found.object.name,
    createdById: user,
    createdDate: at,
    systemModstamp: at,
    state,
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(version),
    ...(isWhole ? { jobType: 'V2Query' } : {}),
    lineEnding: 'LF',
    columnDelimiter: 'COMMA',
    ...(isWhole
      ? {
          numberRecordsProcessed: isDone ? found.rows.length : 0,
          retries: 0,
          totalProcessingTime: isDone ? 812 : 0,
          isPkChunkingSupported: true,
        }
      : {}),
    ...(state === 'Failed' && error ? { errorMessage: error } : {}),
  }
}

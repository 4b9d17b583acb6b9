import type { Definition } from '../core/definition.js'
import { asFailure, Failure } from '../core/failure.js'
import { dayMs, endOfDay } from '../core/slices.js'
import type { Fields, Finding, Http, Rec, Slice, Source, Stream } from '../core/types.js'
import type { Warehouse } from '../warehouse/driver.js'

/** What is asked of a connection as it stands; how it is connected is asked in connect.ts. */
export interface Question {
  question: 'check' | 'discover' | 'preview'
  stream?: string
  limit?: number
}

/** Answers as the CLI prints them. A preview holds records, so it is handed over in a row that is deleted when read. */
export interface Answers {
  check: { findings: Finding[] }
  discover: { streams: { stream: string; key: readonly string[]; mode: string; cursor?: string; fields: Fields; failure?: string }[] }
  preview: { stream: string; records: Rec[]; requests: number; fields: Fields }
}

export interface AskInput {
  warehouse: Warehouse
  http: Http
  source: Source
  definition: Definition
  question: Question
  redact: (text: string) => string
  /** What is known of the credential, without the vendor. @throws Failure `auth` where there is none */
  credential?: () => Promise<Finding | undefined>
}

export async function ask(input: AskInput): Promise<Answers[keyof Answers]> {
  switch (input.question.question) {
    case 'check':
      return check(input)
    case 'discover':
      return discover(input)
    case 'preview':
      return preview(input)
  }
}

/** Findings one by one; one that fails does not hide the others. */
async function check({ warehouse, http, source, redact, credential }: AskInput): Promise<Answers['check']> {
  const findings: Finding[] = []
  try {
    const kept = await credential?.()
    if (kept) findings.push(kept)
    for await (const finding of source.check(http)) findings.push({ ...finding, message: redact(finding.message) })
  } catch (error) {
    findings.push({ name: 'vendor', ok: false, message: redact(asFailure(error).message) })
  }
  try {
    const { version, canCreate, clockSkewMs } = await warehouse.describe()
    findings.push({
      name: 'warehouse',
      ok: canCreate,
      message: `PostgreSQL ${version}`,
      ...(canCreate ? {} : { hint: 'Grant CREATE on the database to the warehouse user.' }),
    })
    const isClose = Math.abs(clockSkewMs) < 60_000
    findings.push({
      name: 'clock',
      ok: isClose,
      message: `the warehouse is ${Math.round(clockSkewMs / 1000)} s off this worker`,
      ...(isClose ? {} : { hint: 'Set both clocks by NTP: slices end at the worker’s now.' }),
    })
  } catch (error) {
    findings.push({ name: 'warehouse', ok: false, message: redact(asFailure(error).message) })
  }
  return { findings }
}

async function discover({ http, source, definition, question, redact }: AskInput): Promise<Answers['discover']> {
  const streams = question.stream === undefined ? Object.values(source.streams) : [streamOf(source, question.stream)]
  const found: Answers['discover']['streams'] = []
  for (const stream of streams) {
    const base = {
      stream: stream.name,
      key: stream.key,
      mode: definition.streams[stream.name]?.mode ?? stream.mode,
      ...(stream.cursor ? { cursor: stream.cursor.field } : {}),
    }
    try {
      found.push({ ...base, fields: await fieldsOf(stream, http) })
    } catch (error) {
      found.push({ ...base, fields: stream.fields, failure: redact(asFailure(error).message) })
    }
  }
  return { streams: found }
}

/** The first records of a stream, read as a sync would and written nowhere. */
async function preview({ http, source, question }: AskInput): Promise<Answers['preview']> {
  const stream = streamOf(source, question.stream ?? '')
  const limit = question.limit ?? 20
  const fields = await fieldsOf(stream, http)
  const pass = stream.passes[0]
  const slice = { pass: pass.name, ...(await firstSlice(stream, http)) }
  const records: Rec[] = []
  for await (const page of pass.read({ http, slice, fields })) {
    records.push(...page.records.map(stream.record))
    if (records.length >= limit) break
  }
  return { stream: stream.name, records: records.slice(0, limit), requests: http.used.requests, fields }
}

async function firstSlice(stream: Stream, http: Http): Promise<Omit<Slice, 'pass'>> {
  const { slicing } = stream.passes[0]
  if (slicing.by === 'all') return {}
  const range = slicing.by === 'time' ? rangeOf(slicing.lagMs, slicing.wholeDays) : {}
  if (slicing.parents) for await (const parent of slicing.parents(http)) return { ...range, parent }
  return range
}

/** Everything until now; of whole days the last seven. */
function rangeOf(lagMs: number, wholeDays: true | undefined): Omit<Slice, 'pass'> {
  const to = Date.now() - lagMs
  if (!wholeDays) return { to: new Date(to).toISOString() }
  const end = endOfDay(to)
  return { from: new Date(end.getTime() - 7 * dayMs).toISOString(), to: end.toISOString() }
}

const fieldsOf = async (stream: Stream, http: Http): Promise<Fields> => ({
  ...(stream.discover ? await stream.discover(http) : {}),
  ...stream.fields,
})

function streamOf(source: Source, name: string): Stream {
  const stream = source.streams[name]
  if (!stream) throw new Failure('config', `${source.type} has no stream "${name}". It has ${Object.keys(source.streams).join(', ')}.`)
  return stream
}

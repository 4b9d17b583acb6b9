/** The query endpoints: pages with tokens, streams in chunks, and the fields themselves. */
import { createHash } from 'node:crypto'
import type { Drift } from '../kit/drift.js'
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { type Field, fields, resources } from './catalogue.js'
import type { Json } from './entities.js'
import { failure, queryError, refused } from './errors.js'
import { parse } from './gaql.js'
import { stepsOf } from './run.js'

export interface SearchSwitches {
  /** Rows in a page of `search`: 10,000 at Google. */
  pageRows: number
  /** Rows in a chunk of `searchStream`. */
  chunkRows: number
  /** How long page tokens live; null: as long as the sandbox. */
  tokenLifeMs: number | null
  /** The stream ends in an error after so many chunks; null: it does not. */
  streamErrorAfter: number | null
}

export interface Answered {
  rows: Json[]
  fieldMask: string
}

/** What is asked of the query endpoints; anything else in the body is refused. */
function bodyOf(request: Request, allowed: readonly string[]): Record<string, unknown> {
  const body = jsonObject(request) ?? {}
  if ('pageSize' in body)
    throw refused(
      'requestError',
      'PAGE_SIZE_NOT_SUPPORTED',
      'Setting the page size is not supported. Search Responses will have fixed page size of 10000 rows.',
    )
  const strange = Object.keys(body).find((key) => !allowed.includes(key))
  if (strange !== undefined)
    throw refused('requestError', 'UNKNOWN', `Invalid JSON payload received. Unknown name "${strange}": Cannot find field.`)
  if (typeof body.query !== 'string' || body.query === '')
    throw refused('requestError', 'REQUIRED_FIELD_MISSING', 'Required field was missing: query.')
  return body
}

export const maskOf = (select: readonly string[]) => select.map((name) => stepsOf(name).join('.')).join(',')
const consumption = (rows: number) => ({ queryResourceConsumption: String(100 + rows) })

/** @param answer runs a query for the customer of the request */
export function search(
  request: Request,
  customer: string,
  answer: (query: string) => Answered,
  { pageRows, tokenLifeMs }: SearchSwitches,
): Reply {
  const { query, pageToken, validateOnly, searchSettings } = bodyOf(request, ['query', 'pageToken', 'validateOnly', 'searchSettings'])
  const of = createHash('sha256')
    .update(`${customer}\n${String(query)}`)
    .digest('base64url')
    .slice(0, 12)
  const from = typeof pageToken === 'string' && pageToken !== '' ? placeOf(pageToken, of, tokenLifeMs) : 0
  const { rows, fieldMask } = answer(String(query))
  if (validateOnly === true) return { status: 200, body: {} }
  const size = request.halfPage ? Math.ceil(pageRows / 2) : pageRows
  const page = rows.slice(from, from + size)
  const isLast = from + size >= rows.length
  const count = (searchSettings as Json | undefined)?.returnTotalResultsCount === true ? { totalResultsCount: String(rows.length) } : {}
  return {
    status: 200,
    body: {
      ...(page.length > 0 ? { results: page } : {}),
      fieldMask,
      ...(isLast ? {} : { nextPageToken: Buffer.from(JSON.stringify([of, from + size, Date.now()])).toString('base64url') }),
      ...count,
      ...consumption(page.length),
    },
  }
}

function placeOf(token: string, of: string, lifeMs: number | null): number {
  try {
    const [query, place, atMs] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as [string, number, number]
    if (query !== of || !Number.isSafeInteger(place)) throw new Error('another query’s')
    if (lifeMs !== null && Date.now() - atMs > lifeMs) throw refused('requestError', 'EXPIRED_PAGE_TOKEN', 'Page token has expired.')
    return place
  } catch (error) {
    if (error instanceof Error && error.message === 'Page token has expired.') throw error
    throw refused('requestError', 'INVALID_PAGE_TOKEN', 'Page token is invalid.')
  }
}

/** All rows as an array of chunks. The error of a stream that is under way is its last element. */
export function searchStream(request: Request, version: string, answer: (query: string) => Answered, switches: SearchSwitches): Reply {
  const { query } = bodyOf(request, ['query', 'summaryRowSetting'])
  const { rows, fieldMask } = answer(String(query))
  const size = request.halfPage ? Math.max(1, Math.ceil(rows.length / 2)) : switches.chunkRows
  const requestId = 'sandbox-stream'
  const chunks: Json[] = []
  for (let at = 0; at < rows.length; at += size) {
    const results = rows.slice(at, at + size)
    chunks.push({ results, fieldMask, requestId, ...(at + size >= rows.length ? consumption(rows.length) : {}) })
  }
  const broken = switches.streamErrorAfter
  const error = failure(version, { family: 'internalError', code: 'TRANSIENT_ERROR', message: 'Transient error. Retry.' })
  return { status: 200, body: broken === null ? chunks : [...chunks.slice(0, broken), error.body] }
}

/** The field service: rows of fields, `WHERE name IN (…)`, `=` or LIKE. Here a page's size may be set. */
export function fieldsSearch(request: Request): Reply {
  const { query, pageSize } = jsonObject(request) ?? {}
  const asked = parse(String(query ?? ''), false)
  const names = asked.where.map((one) => {
    if (one.field !== 'name') throw queryError('UNRECOGNIZED_FIELD', `Unrecognized field in the query: '${one.field}'.`)
    const like = one.operator === 'LIKE' ? new RegExp(`^${one.values[0]?.replaceAll('.', '\\.').replaceAll('%', '.*')}$`) : undefined
    return (name: string) => (like ? like.test(name) : one.values.includes(name))
  })
  const found = [...fields.values()].filter(({ name }) => names.every((fits) => fits(name)))
  const size = typeof pageSize === 'number' ? pageSize : 10_000
  const shown = found.slice(0, size).map((field) => pick(field, asked.select))
  return { status: 200, body: { ...(shown.length > 0 ? { results: shown } : {}), totalResultsCount: String(found.length) } }
}

export function fieldGet(name: string): Reply | undefined {
  const field = fields.get(name)
  return field && { status: 200, body: pick(field, ['name', 'category', 'data_type', 'is_repeated', 'selectable', 'selectable_with']) }
}

/** False and empty members are left out, as in all of Google's JSON. */
function pick(field: Field, select: readonly string[]): Json {
  const all: Json = { ...field, selectableWith: [...(resources.get(field.name)?.beside ?? [])] }
  const asked = Object.fromEntries(select.map((name) => [stepsOf(name).join('.'), all[stepsOf(name).join('.')]]))
  const said = Object.entries(asked).filter(
    ([, value]) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0),
  )
  return { resourceName: `googleAdsFields/${field.name}`, ...Object.fromEntries(said) }
}

/** What is shown after the drift that a test asked for; `of` is the resource in FROM. */
export const drifted = (drift: Drift, from: string, rows: Json[]): Json[] =>
  rows.map((row, n) => drift.apply('google_ads', from, String((row[stepsOf(from)[0] ?? ''] as Json | undefined)?.id ?? n), row))

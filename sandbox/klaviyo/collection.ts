/** One way to read any collection: parameters checked against what the endpoint allows, a page found, its records shown. */
import { hash, place } from '../company/dice.js'
import { Refused, type Reply, type Request } from '../kit/http.js'
import type { Index, Key, Row, Table } from '../kit/table.js'
import { contentType, invalid, refusal, refuseParameter } from './errors.js'
import { type Condition, type FieldRule, type FieldValue, fits, parseFilter } from './filter.js'
import type { Tier } from './limits.js'

export interface Resource {
  type: string
  id: string
  attributes: Record<string, unknown>
  relationships?: Record<string, unknown>
  links: { self: string }
}

/** An endpoint as the vendor's OpenAPI describes it. */
export interface Collection<R extends Row> {
  type: string
  tier: Tier
  scopes: readonly string[]
  /** `fixed` endpoints know no `page[size]`. */
  page: { standard: number; max: number } | { fixed: number }
  filters: Readonly<Record<string, FieldRule>>
  sorts: readonly string[]
  /** Fields that `fields[type]` may name; anything below them may be named with dots. */
  fields: readonly string[]
  /** Values of `additional-fields[type]`, with the slower counter that each draws on. */
  additional?: Readonly<Record<string, Tier | null>>
  includes?: readonly string[]
  /** What a filter must speak of, and what is said when it does not. */
  mustFilter?: { field: string; detail: string }
  /** A field that cannot be filtered together with `sort`. */
  unsortable?: (field: string) => boolean
  /** What filters and sorts compare. */
  value(row: R, field: string): FieldValue
}

/** What a page shows, given to the function that shows a record. */
export interface View {
  request: Request
  revision: string
  additional: ReadonlySet<string>
  include: ReadonlySet<string>
}

export interface ReadOptions {
  boundIncluded: boolean
  /** Wall-clock life of a cursor; null lets it live for ever. */
  cursorLifeMs: number | null
  /** Names the rows: cursors of one place are no good in another. */
  place: string
  /** Swaps neighbours now and then, as archived campaigns have been seen to come. */
  unsorted: boolean
}

interface Cursor {
  place: number
  key: Key
  tie: Key
  bornMs: number
}

const comparisons = new Set(['greater-than', 'greater-or-equal', 'less-than', 'less-or-equal'])

export function checkParameters<R extends Row>(request: Request, spec: Collection<R>, revision: string): View & { filter: Condition[] } {
  const known = new Set(['filter', 'sort', 'page[cursor]', 'include', `fields[${spec.type}]`, `additional-fields[${spec.type}]`])
  if (!('fixed' in spec.page)) known.add('page[size]')
  for (const include of spec.includes ?? []) {
    known.add(`fields[${include === 'flow-triggers' ? 'flow' : include.replace(/s$/, '')}]`)
    if (include === 'profile') known.add('additional-fields[profile]')
  }
  for (const name of request.query.keys()) {
    if (!known.has(name)) throw refuseParameter(name, `'${name}' is not a valid query parameter for this endpoint.`)
    if (request.query.getAll(name).length > 1) throw refuseParameter(name, `'${name}' was given more than once.`)
  }
  for (const field of words(request, `fields[${spec.type}]`)) {
    const top = field.split('.')[0] as string
    if (top !== 'id' && !spec.fields.includes(top) && spec.additional?.[top] === undefined)
      throw refuseParameter(`fields[${spec.type}]`, `'${field}' is not a valid field for the resource '${spec.type}'.`)
  }
  const additional = new Set(words(request, `additional-fields[${spec.type}]`))
  for (const one of additional) {
    if (spec.additional?.[one] === undefined)
      throw refuseParameter(`additional-fields[${spec.type}]`, `'${one}' is not a valid additional field.`)
  }
  const include = new Set(words(request, 'include'))
  for (const one of include) if (!spec.includes?.includes(one)) throw refuseParameter('include', `'${one}' is not a valid include.`)
  const text = request.query.get('filter')
  const filter = text === null || text === '' ? [] : parseFilter(text, spec.filters)
  if (spec.mustFilter !== undefined && !filter.some(({ field }) => field === spec.mustFilter?.field))
    throw refuseParameter('filter', spec.mustFilter.detail)
  if (request.query.has('sort') && filter.some(({ field }) => spec.unsortable?.(field)))
    throw refuseParameter('sort', 'This filter cannot be combined with sort.')
  return { request, revision, additional, include, filter }
}

/** The page that the request asks for. `base` holds for every row and needs no filter. */
export function readPage<R extends Row>(
  table: Table<R>,
  spec: Collection<R>,
  { request, filter }: { request: Request; filter: readonly Condition[] },
  options: ReadOptions,
  base?: (row: R) => boolean,
): { rows: R[]; next: string | null } {
  const size = pageSize(request, spec)
  const { field, descending } = sorting(request, spec, filter)
  // A cursor belongs to one question: the same filter and sort in the same place.
  const here = hash(place(options.place), place(`${field} ${descending} ${request.query.get('filter') ?? ''}`))
  const cursor = readCursor(request, here, options.cursorLifeMs)
  const index: Index<R> = table.index(field, (row) => keyOf(spec.value(row, field)))
  const { low, high } = bounds(filter, field)
  const test =
    filter.length === 0 && base === undefined
      ? undefined
      : (row: R) => base?.(row) !== false && filter.every((one) => fits(one, spec.value(row, one.field), options.boundIncluded))
  const { rows, more } = index.walk({ low, high, after: cursor, descending, limit: size, ...(test === undefined ? {} : { test }) })
  const last = rows.at(-1)
  const next =
    more && last !== undefined ? writeCursor({ place: here, key: index.keyOf(last), tie: index.tieOf(last), bornMs: Date.now() }) : null
  if (options.unsorted) for (let i = 3; i + 1 < rows.length; i += 7) [rows[i], rows[i + 1]] = [rows[i + 1] as R, rows[i] as R]
  return { rows, next }
}

/** The document around a page. The way on is the request's own address with another cursor. */
export function pageReply(request: Request, data: unknown[], next: string | null, included?: unknown[]): Reply {
  const address = (cursor: string | null) => {
    const query = new URLSearchParams(request.query)
    if (cursor !== null) query.set('page[cursor]', cursor)
    const text = query.toString()
    return `${request.origin}${request.path}/${text === '' ? '' : `?${text}`}`
  }
  const links = { self: address(null), next: next === null ? null : address(next), prev: null }
  return { status: 200, body: { data, ...(included === undefined ? {} : { included }), links }, contentType }
}

/** Leaves of a resource only the asked-for fields, if any were asked for. */
export function sparse(resource: Resource, request: Request): Resource {
  const wanted = words(request, `fields[${resource.type}]`)
  if (wanted.length === 0) return resource
  const attributes: Record<string, unknown> = {}
  for (const path of wanted) copyPath(resource.attributes, attributes, path.split('.'))
  return { ...resource, attributes }
}

function copyPath(from: Record<string, unknown>, to: Record<string, unknown>, [step = '', ...rest]: string[]): void {
  if (!(step in from)) return
  const below = from[step]
  if (rest.length === 0 || typeof below !== 'object' || below === null) to[step] = below
  else {
    const known = to[step]
    const made = typeof known === 'object' && known !== null ? (known as Record<string, unknown>) : {}
    to[step] = made
    copyPath(below as Record<string, unknown>, made, rest)
  }
}

function words(request: Request, name: string): string[] {
  return (request.query.get(name) ?? '').split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]))
}

function pageSize<R extends Row>(request: Request, { page }: Collection<R>): number {
  if ('fixed' in page) return request.halfPage ? Math.ceil(page.fixed / 2) : page.fixed
  const asked = request.query.get('page[size]')
  const size = asked === null ? page.standard : Number(asked)
  if (!/^\d+$/.test(asked ?? '1') || size < 1 || size > page.max)
    throw refuseParameter('page[size]', `Page size must be an integer between 1 and ${page.max}.`)
  return request.halfPage ? Math.ceil(size / 2) : size
}

/** Without `sort`, a date filter decides the order; without either, the id does. */
function sorting<R extends Row>(
  request: Request,
  { sorts, filters, unsortable }: Collection<R>,
  filter: readonly Condition[],
): { field: string; descending: boolean } {
  const sort = request.query.get('sort')
  if (sort === null) {
    const ranged = filter.find(
      ({ operator, field }) => comparisons.has(operator) && filters[field]?.type === 'datetime' && !unsortable?.(field),
    )
    return { field: ranged?.field ?? 'id', descending: false }
  }
  const field = sort.replace(/^-/, '')
  if (!sorts.includes(field)) throw refuseParameter('sort', `'${sort}' is not a valid sort for this resource. Valid: ${sorts.join(', ')}.`)
  return { field, descending: sort.startsWith('-') }
}

function bounds(filter: readonly Condition[], field: string): { low?: Key; high?: Key } {
  let low: Key | undefined
  let high: Key | undefined
  for (const { operator, field: of, values } of filter) {
    const bound = values[0]
    if (of !== field || (typeof bound !== 'number' && typeof bound !== 'string')) continue
    if (operator.startsWith('greater')) low = low === undefined || bound > low ? bound : low
    if (operator.startsWith('less')) high = high === undefined || bound < high ? bound : high
  }
  return { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) }
}

const keyOf = (value: FieldValue): Key => (typeof value === 'number' || typeof value === 'string' ? value : -1)

const writeCursor = ({ place, key, tie, bornMs }: Cursor) => Buffer.from(JSON.stringify([place, key, tie, bornMs])).toString('base64url')

function readCursor(request: Request, here: number, lifeMs: number | null): Cursor | undefined {
  const given = request.query.get('page[cursor]')
  if (given === null || given === '') return undefined
  // The vendor's SDK takes a whole next link where a cursor is meant, and sends it as it is.
  const text = given.includes('://') ? (new URL(given).searchParams.get('page[cursor]') ?? '') : given
  try {
    const [of, key, tie, bornMs] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [number, Key, Key, number]
    if (of === here && (lifeMs === null || Date.now() - bornMs <= lifeMs)) return { place: of, key, tie, bornMs }
  } catch {
    // Not one of ours: refused below.
  }
  throw new Refused(badCursor())
}

export const badCursor = (): Reply => refusal(400, invalid('Invalid cursor provided.', { parameter: 'page[cursor]' }))

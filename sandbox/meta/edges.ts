/** Lists below an account: filtered, cut into pages by cursors, and shown by field. */
import type { Request } from '../kit/http.js'
import { invalidParameter, reduceData } from './errors.js'
import { chosen, pick } from './fields.js'
import type { Json } from './nodes.js'
import { jsonOf, listOf, type Parameters, textOf } from './parameters.js'

/** `limit` is taken up to here; more is cut down without a word. */
const limitMax = 500
const limitDefault = 25

export interface PageOptions {
  request: Request
  parameters: Parameters
  /** Nodes times fields that one page may hold. */
  cellsMax: number
}

const cursorOf = (at: number) => Buffer.from(`sbx${at}`).toString('base64').replace(/=+$/, 'ZD')
function place(cursor: string): number {
  const [, digits] = /^sbx(\d+)$/.exec(Buffer.from(cursor.replace(/ZD$/, ''), 'base64').toString()) ?? []
  if (digits === undefined) throw invalidParameter('Invalid cursors values')
  return Number(digits)
}

/** One page, with Graph's paging: cursors always, `next` only when more follows. The address of `next` holds the token, as the vendor's does. */
export function page(
  nodes: readonly Json[],
  columns: number,
  show: (node: Json) => Json,
  { request, parameters, cellsMax }: PageOptions,
): Json {
  const asked = Number(textOf(parameters, 'limit') ?? limitDefault)
  if (!Number.isInteger(asked) || asked < 1) throw invalidParameter('param limit must be a positive integer.')
  const full = Math.min(asked, limitMax)
  if (full * columns > cellsMax) throw reduceData()
  const limit = request.halfPage ? Math.max(1, Math.floor(full / 2)) : full
  const after = textOf(parameters, 'after')
  const from = after === undefined ? 0 : place(after)
  const data = nodes.slice(from, from + limit).map(show)
  if (data.length === 0) return { data: [] }
  const to = from + data.length
  const cursors = { before: cursorOf(from), after: cursorOf(to) }
  if (to >= nodes.length) return { data, paging: { cursors } }
  const token = textOf(parameters, 'access_token') ?? (request.headers.authorization ?? '').split(' ')[1] ?? ''
  return { data, paging: { cursors, next: nextUrl(request, { access_token: token, limit: String(asked), after: cursors.after }) } }
}

export function nextUrl(request: Request, parameters: Record<string, string>): string {
  const url = new URL(request.url, request.origin)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** Leads a page back to its own beginning. */
export function repeatPage(body: unknown, request: Request): void {
  const answer = body as { paging?: Json }
  const after = request.query.get('after') ?? cursorOf(0)
  answer.paging = { cursors: { before: after, after }, next: nextUrl(request, { after }) }
}

/** An edge of nodes: what is deleted or archived shows only where it is asked for by name. */
export function listing(type: string, nodes: readonly Json[], options: PageOptions): Json {
  const parts = chosen(type, textOf(options.parameters, 'fields'))
  return page(filtered(type, nodes, options.parameters), parts.length, (node) => pick(node, parts), options)
}

interface Filter {
  field: string
  operator: string
  value: unknown
}

const hidden: ReadonlySet<unknown> = new Set(['DELETED', 'ARCHIVED'])

function filtered(type: string, nodes: readonly Json[], parameters: Parameters): Json[] {
  const given = jsonOf(parameters, 'filtering') ?? []
  if (!Array.isArray(given)) throw invalidParameter('param filtering must be an array.')
  const filters = [...(given as Filter[])]
  const statuses = listOf(parameters, 'effective_status')
  if (statuses.length > 0) filters.push({ field: 'effective_status', operator: 'IN', value: statuses })
  const named = filters.some(({ field }) => fieldOf(field) === 'effective_status')
  const hides = ['Campaign', 'AdSet', 'Ad'].includes(type) && !named
  return nodes.filter((node) => (!hides || !hidden.has(node.effective_status)) && filters.every((filter) => fits(node, filter)))
}

const fieldOf = (field: string) => field.slice(field.indexOf('.') + 1)

function fits(node: Json, { field, operator, value }: Filter): boolean {
  const name = fieldOf(field)
  const held = node[name]
  if (operator === 'IN' && Array.isArray(value)) return value.map(String).includes(String(held))
  if (operator === 'EQUAL') return String(held) === String(value)
  const number = name.endsWith('_time') ? Date.parse(String(held)) / 1000 : Number(held)
  if (operator === 'GREATER_THAN') return number > Number(value)
  if (operator === 'LESS_THAN') return number < Number(value)
  throw invalidParameter(`Filtering operator ${operator} is not supported for field ${field}.`)
}

/** Answers a query that keeps the rules: filters, cuts to the selected grain, orders, limits, shows. */
import { fields } from './catalogue.js'
import type { Range } from './check.js'
import type { Json, Row } from './entities.js'
import { type Counts, counted, facts, metricsOf } from './facts.js'
import type { Condition, Query } from './gaql.js'
import { standing, type World } from './rows.js'

const camel = (path: string) => path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const paths = new Map<string, string[]>()
/** Steps to a field in an answer's row. */
export function stepsOf(name: string): string[] {
  const known = paths.get(name) ?? camel(name).split('.')
  paths.set(name, known)
  return known
}

function valueAt(row: Json, name: string): unknown {
  let value: unknown = row
  for (const step of stepsOf(name)) value = typeof value === 'object' && value !== null ? (value as Json)[step] : undefined
  return value
}

const isMetric = (name: string) => name.startsWith('metrics.')
const isSegment = (name: string) => name.startsWith('segments.')

/** Rows in the form of the API, all selected members of each in it. */
export function run(query: Query, range: Range, world: World): Json[] {
  const { select, where, orderBy, limit, from = '' } = query
  const rest = where.filter(({ field }) => !isSegment(field) || field !== 'segments.date')
  const isCounted = from !== 'click_view' && select.some((name) => isMetric(name) || isSegment(name))
  const rows = isCounted
    ? figures(query, rest, range, world)
    : (standing(from, world) ?? []).filter((row) => rest.every((one) => fits(row, one)))
  const sorted = orderBy.length === 0 ? rows : [...rows].sort((a, b) => compareBy(orderBy, a, b))
  return (limit === undefined ? sorted : sorted.slice(0, limit)).map((row) => shown(row, query))
}

/** Figures of each group of the selected fields. Rows that are zero throughout are left out as soon as there is a segment. */
function figures({ select, from = '' }: Query, where: readonly Condition[], range: Range, world: World): Json[] {
  const plain = select.filter((name) => !isMetric(name))
  const isSegmented = select.some(isSegment)
  const keyOf = (row: Json) => JSON.stringify(plain.map((name) => valueAt(row, name) ?? null))
  const groups = new Map<string, { row: Json; counts: Counts }>()
  const before = where.filter(({ field }) => !isMetric(field))
  const take = (row: Json, counts?: Counts) => {
    if (!before.every((one) => fits(row, one))) return
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { row, counts: { ...(counts ?? zero) } })
    else if (counts !== undefined) for (const name of counted) group.counts[name] += counts[name]
  }
  // Without a segment every thing is shown, also with nothing to its name.
  if (!isSegmented) for (const row of standing(from, world) ?? []) take(row)
  const needed = new Set([...select, ...where.map(({ field }) => field)].filter(isSegment))
  const span = { ...world.span, fromMs: Math.max(world.span.fromMs, range.fromMs), toMs: Math.min(world.span.toMs, range.toMs) }
  for (const { row, segments, counts } of facts(from, world.entities, world.times, span, needed)) take({ ...row, segments }, counts)
  const asked = select.filter(isMetric)
  return [...groups.values()]
    .map(({ row, counts }) => ({
      ...row,
      metrics: metricsOf(counts, `${String((row.campaign as Json | undefined)?.id)} ${String((row.segments as Json | undefined)?.date)}`),
    }))
    .filter((row) => !isSegmented || asked.length === 0 || asked.some((name) => Number(valueAt(row, name) ?? 0) !== 0))
    .filter((row) => where.every((one) => !isMetric(one.field) || fits(row, one)))
}

const zero = Object.fromEntries(counted.map((name) => [name, 0])) as Counts

/** Only what was selected, nested as it is named; resource names come along unless the query says no. */
function shown(row: Json, { select, omitNames }: Query): Json {
  const answer: Json = {}
  for (const name of select) {
    const value = valueAt(row, name)
    const steps = stepsOf(name)
    const [resource = ''] = steps
    if (!omitNames && !isMetric(name) && !isSegment(name)) {
      const resourceName = (row[resource] as Json | undefined)?.resourceName
      if (resourceName !== undefined) set(answer, [resource, 'resourceName'], resourceName)
    }
    if (value !== undefined) set(answer, steps, value)
  }
  return answer
}

function set(into: Json, steps: readonly string[], value: unknown): void {
  let at = into
  for (const step of steps.slice(0, -1)) {
    at[step] ??= {}
    at = at[step] as Json
  }
  at[steps.at(-1) ?? ''] = value
}

function fits(row: Json | Row, { field, operator, values }: Condition): boolean {
  const value = valueAt(row as Json, field)
  if (operator === 'IS NULL') return value === undefined
  if (operator === 'IS NOT NULL') return value !== undefined
  if (value === undefined) return operator === '!=' || operator === 'NOT IN'
  if (operator === 'CONTAINS ANY') return Array.isArray(value) && values.some((one) => value.includes(one))
  const [low = '', high = ''] = values
  const like = (pattern: string) =>
    new RegExp(`^${pattern.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&').replaceAll('%', '.*')}$`, 'is').test(String(value))
  const against = (other: string) => compare(field, value, other)
  switch (operator) {
    case '=':
      return against(low) === 0
    case '!=':
      return against(low) !== 0
    case '>':
      return against(low) > 0
    case '>=':
      return against(low) >= 0
    case '<':
      return against(low) < 0
    case '<=':
      return against(low) <= 0
    case 'IN':
      return values.some((one) => against(one) === 0)
    case 'NOT IN':
      return values.every((one) => against(one) !== 0)
    case 'BETWEEN':
      return against(low) >= 0 && against(high) <= 0
    case 'LIKE':
      return like(low)
    case 'NOT LIKE':
      return !like(low)
    default:
      return true
  }
}

/** Numbers by value, exactly where they are long; all else as text, and what is not there first. */
function compare(name: string, a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const kind = fields.get(name)?.dataType
  if (kind === 'INT64') {
    const [x, y] = [BigInt(String(a)), BigInt(String(b))]
    return x < y ? -1 : x > y ? 1 : 0
  }
  if (kind === 'DOUBLE' || kind === 'INT32') return Number(a) - Number(b)
  const [x, y] = [String(a), String(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function compareBy(order: Query['orderBy'], a: Json, b: Json): number {
  for (const { field, descending } of order) {
    const found = compare(field, valueAt(a, field), valueAt(b, field))
    if (found !== 0) return descending ? -found : found
  }
  return 0
}

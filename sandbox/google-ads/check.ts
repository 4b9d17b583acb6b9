/** The rules that a query must keep before it is answered; each refusal in the vendor's own code. */
import { day } from '../company/catalogue.js'
import { dayText } from './accounts.js'
import { conversionMetrics, coreDates, fields, resources } from './catalogue.js'
import { queryError, refused } from './errors.js'
import type { Query } from './gaql.js'

export interface Asker {
  /** The account's calendar day. */
  todayMs: number
  manager: boolean
  version: string
}

/** Days that a query's filters on dates leave; endless where there are none. */
export interface Range {
  fromMs: number
  toMs: number
}

const periods: Record<string, (todayMs: number) => [number, number]> = {
  TODAY: (today) => [today, today],
  YESTERDAY: (today) => [today - day, today - day],
  LAST_7_DAYS: (today) => [today - 7 * day, today - day],
  LAST_14_DAYS: (today) => [today - 14 * day, today - day],
  LAST_30_DAYS: (today) => [today - 30 * day, today - day],
}

export function check(query: Query, asker: Asker): Range {
  const { select, from, where, orderBy } = query
  const source = resources.get(from ?? '')
  if (source === undefined)
    throw queryError('BAD_RESOURCE_TYPE_IN_FROM_CLAUSE', `Error in query: unsupported resource type '${from}' in FROM clause.`)
  const filtered = where.map(({ field }) => field)
  for (const name of [...select, ...filtered, ...orderBy.map(({ field }) => field)]) {
    const field = fields.get(name)
    if (field === undefined) throw queryError('UNRECOGNIZED_FIELD', `Unrecognized field in the query: '${name}'.`)
    if (!field.selectable) throw queryError('PROHIBITED_FIELD_IN_SELECT_CLAUSE', `Field '${name}' cannot be selected.`)
    const [resource = '', ...rest] = name.split('.')
    const short = rest.join('.')
    if (resource === 'segments' && !source.segments.has(short))
      throw queryError(
        'PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE',
        `Cannot select or filter on the segment '${name}' with resource '${from}'.`,
      )
    if (resource === 'metrics' && !source.metrics.has(short))
      throw queryError(
        'PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE',
        `Cannot select or filter on the metric '${name}' with resource '${from}'.`,
      )
    if (resource !== 'segments' && resource !== 'metrics' && !source.beside.has(resource))
      throw queryError('PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE', `Cannot select fields of '${resource}' with resource '${from}'.`)
  }
  const unselected = [...filtered, ...orderBy.map(({ field }) => field)].find(
    (name) => name.startsWith('segments.') && !select.includes(name) && !(coreDates.has(name) && filtered.includes(name)),
  )
  if (unselected !== undefined)
    throw queryError(
      'EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE',
      `Expected '${unselected}' to be selected, since it is filtered or sorted by.`,
    )
  if (select.some((name) => name.startsWith('segments.conversion_action'))) {
    const wrong = select.find((name) => name.startsWith('metrics.') && !conversionMetrics.has(name))
    if (wrong !== undefined)
      throw queryError(
        'PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE',
        `Cannot select or filter on the following segments with metric '${wrong}': 'segments.conversion_action'.`,
      )
  }
  if (asker.manager && select.some((name) => name.startsWith('metrics.')))
    throw queryError(
      'REQUESTED_METRICS_FOR_MANAGER',
      'Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests against each client account under the manager account.',
    )
  changes(query, asker)
  return dates(query, asker)
}

function dates({ select, from, where }: Query, { todayMs, version }: Asker): Range {
  const range = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
  for (const { field, operator, values } of where) {
    if (field !== 'segments.date') continue
    const [low, high] = operator === 'DURING' ? period(values[0] ?? '', todayMs) : values.map(dayOf)
    if (low === undefined) continue
    if (operator === '=' || operator === '>=' || operator === '>' || operator === 'BETWEEN' || operator === 'DURING')
      range.fromMs = Math.max(range.fromMs, operator === '>' ? low + day : low)
    const end = high ?? low
    if (operator === '=' || operator === '<=' || operator === '<' || operator === 'BETWEEN' || operator === 'DURING')
      range.toMs = Math.min(range.toMs, operator === '<' ? end - day : end)
  }
  const isDated = [...select, ...where.map(({ field }) => field)].some((name) => coreDates.has(name))
  if (from === 'click_view') {
    const [one] = where.filter(({ field }) => field === 'segments.date')
    if (range.fromMs !== range.toMs || one === undefined)
      throw refused('clickViewError', 'EXPECTED_FILTER_ON_A_SINGLE_DAY', 'Missing filter on a single day.')
    if (range.fromMs < todayMs - 90 * day)
      throw refused(
        'clickViewError',
        'DATE_TOO_OLD',
        'The requested date is too old. See https://developers.google.com/google-ads/api/fields/latest/click_view for more details.',
      )
  }
  if (!isDated) return range
  if (!Number.isFinite(range.fromMs) || !Number.isFinite(range.toMs))
    throw queryError('EXPECTED_FILTERS_ON_DATE_RANGE', 'Expected filters on the following field(s) with a finite date range: segments.date')
  const oldest = new Date(todayMs)
  oldest.setUTCMonth(oldest.getUTCMonth() - 37)
  if (range.fromMs < oldest.getTime())
    throw version === 'v23'
      ? refused('dateRangeError', 'INVALID_DATE', 'Invalid date.')
      : refused(
          'dateRangeError',
          'REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED',
          `Daily, weekly and hourly figures are kept for 37 months: ${dayText(range.fromMs)} is too old.`,
        )
  return range
}

const period = (name: string, todayMs: number): [number, number] => {
  const found = periods[name.toUpperCase()]
  if (found === undefined) throw queryError('INVALID_VALUE_WITH_DURING_OPERATOR', `Invalid date literal ${name}.`)
  return found(todayMs)
}

function dayOf(text: string): number {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text))) throw queryError('INVALID_DATE_FORMAT', `Invalid date '${text}'.`)
  return Date.parse(text)
}

/** For how many days Google keeps what is not a figure, and the field that says when. */
export const keptDays: Record<string, { field?: string; family: string; days: number }> = {
  click_view: { family: 'clickViewError', days: 90 },
  change_status: { field: 'change_status.last_change_date_time', family: 'changeStatusError', days: 90 },
  change_event: { field: 'change_event.change_date_time', family: 'changeEventError', days: 30 },
}

/** Changes need a range with both ends, not too far back, and a LIMIT. */
function changes({ from, where, limit }: Query, { todayMs }: Asker): void {
  const rule = keptDays[from ?? '']
  if (rule?.field === undefined) return
  const bounds = where.filter(({ field }) => field === rule.field)
  const has = (...operators: string[]) => bounds.find(({ operator }) => operators.includes(operator))
  const low = has('>=', '>', 'BETWEEN', '=', 'DURING')
  if (low === undefined || !has('<=', '<', 'BETWEEN', '=', 'DURING'))
    throw refused(
      rule.family,
      'CHANGE_DATE_RANGE_INFINITE',
      'The change search request must specify a finite range filter on change date time.',
    )
  if (limit === undefined) throw refused(rule.family, 'LIMIT_NOT_SPECIFIED', 'The LIMIT clause must be specified.')
  if (limit > 10_000) throw refused(rule.family, 'INVALID_LIMIT_CLAUSE', 'The LIMIT specified is larger than the maximum of 10000.')
  const start =
    low.operator === 'DURING' ? period(low.values[0] ?? '', todayMs)[0] : Date.parse(`${(low.values[0] ?? '').slice(0, 10)}T00:00:00Z`)
  if (start < todayMs - rule.days * day)
    throw refused(rule.family, 'START_DATE_TOO_OLD', `The requested start date is too old: ${rule.days} days are kept.`)
}

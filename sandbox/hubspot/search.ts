/** Search over an index that lags, with every limit of the vendor's guide: pages of 200, nothing past 10,000, a body of 3,000 characters. */
import { jsonObject, type Request } from '../kit/http.js'
import { invalid } from './errors.js'
import type { ObjectRow, PropertyRow } from './rows.js'

export const searchMax = { page: 200, window: 10_000, bodyCharacters: 3000, groups: 5, filtersInGroup: 6, filters: 18 } as const

export const operators = 'EQ NEQ LT LTE GT GTE BETWEEN IN NOT_IN HAS_PROPERTY NOT_HAS_PROPERTY CONTAINS_TOKEN NOT_CONTAINS_TOKEN'.split(' ')

export interface Filter {
  propertyName: string
  operator: string
  value?: string
  values?: readonly string[]
  highValue?: string
}

export interface SearchQuestion {
  groups: readonly (readonly Filter[])[]
  sort: { property: string; descending: boolean }
  query: string
  properties: string[]
  limit: number
  after: number
}

type Json = Record<string, unknown>
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

export function readQuestion(request: Request, definitions: ReadonlyMap<string, PropertyRow>): SearchQuestion {
  if (request.text.length > searchMax.bodyCharacters)
    throw invalid(`The request body must not be longer than ${searchMax.bodyCharacters} characters.`)
  const body = jsonObject(request)
  if (body === undefined) throw invalid('Invalid input JSON on line 1, column 1: Cannot deserialize value.')
  const given = list(body.filterGroups).map((group) => list((group as Json).filters))
  // A bare `filters` array is taken as one group.
  const groups = (given.length === 0 && Array.isArray(body.filters) ? [body.filters] : given).map((group) =>
    group.map((filter) => readFilter(filter as Json, definitions)),
  )
  if (groups.length > searchMax.groups) throw invalid(`Too many filter groups: ${groups.length}. At most ${searchMax.groups} are allowed.`)
  if (groups.some((group) => group.length > searchMax.filtersInGroup))
    throw invalid(`Too many filters in a group: at most ${searchMax.filtersInGroup} are allowed.`)
  if (groups.flat().length > searchMax.filters) throw invalid(`Too many filters: at most ${searchMax.filters} are allowed.`)
  const limit = body.limit === undefined ? 10 : Number(body.limit)
  if (!Number.isInteger(limit) || limit < 0 || limit > searchMax.page)
    throw invalid(`Invalid limit: ${String(body.limit)}. The limit must be between 0 and ${searchMax.page}.`)
  const after = body.after === undefined || body.after === null || body.after === '' ? 0 : Number(body.after)
  if (!Number.isInteger(after) || after < 0) throw invalid(`Invalid after: ${String(body.after)}. Must be formatted as an integer.`)
  if (after + limit > searchMax.window)
    throw invalid(`The requested page reaches past ${searchMax.window} results: after ${after}, limit ${limit}.`)
  return {
    groups,
    sort: readSort(list(body.sorts)),
    query: typeof body.query === 'string' ? body.query : '',
    properties: list(body.properties).map(String),
    limit: request.halfPage ? Math.ceil(limit / 2) : limit,
    after,
  }
}

function readFilter(filter: Json, definitions: ReadonlyMap<string, PropertyRow>): Filter {
  const propertyName = String(filter.propertyName ?? '')
  const operator = String(filter.operator ?? '')
  if (!operators.includes(operator)) throw invalid(`Invalid operator: ${operator}`)
  const known = definitions.get(propertyName)
  if ((known === undefined || known.archived) && !propertyName.startsWith('associations.')) {
    throw invalid(`There was a problem with the request. Property '${propertyName}' does not exist.`, {
      errors: [
        {
          message: `Property "${propertyName}" does not exist`,
          code: 'PROPERTY_DOESNT_EXIST',
          in: 'filterGroups',
          context: { propertyName: [propertyName] },
        },
      ],
    })
  }
  const needs =
    operator === 'IN' || operator === 'NOT_IN'
      ? Array.isArray(filter.values)
      : operator.endsWith('HAS_PROPERTY') || filter.value !== undefined
  if (!needs || (operator === 'BETWEEN' && filter.highValue === undefined))
    throw invalid(
      `operator ${operator} requires ${operator === 'BETWEEN' ? 'value and highValue' : operator.endsWith('IN') ? 'values' : 'a value'}`,
    )
  return {
    propertyName,
    operator,
    ...(filter.value === undefined ? {} : { value: String(filter.value) }),
    ...(filter.highValue === undefined ? {} : { highValue: String(filter.highValue) }),
    ...(Array.isArray(filter.values) ? { values: filter.values.map(String) } : {}),
  }
}

/** One rule, as text (`-createdate`) or as an object; createdate when there is none. */
function readSort(sorts: unknown[]): SearchQuestion['sort'] {
  if (sorts.length > 1) throw invalid('Only one sort is allowed.')
  const sort = sorts[0]
  if (sort === undefined) return { property: 'createdate', descending: false }
  if (typeof sort === 'string') return { property: sort.replace(/^-/, ''), descending: sort.startsWith('-') }
  const { propertyName, direction } = sort as Json
  return { property: String(propertyName ?? ''), descending: direction === 'DESCENDING' }
}

/** How values of a property are compared: numbers and dates by size, all else as text without regard to case. */
type Measure = (value: string) => string | number | null

function measureOf(definition: PropertyRow | undefined): Measure {
  switch (definition?.type) {
    case 'number':
      return (value) => (value.trim() === '' || Number.isNaN(Number(value)) ? null : Number(value))
    case 'date':
    case 'datetime':
      return (value) => {
        const ms = /^-?\d+$/.test(value) ? Number(value) : Date.parse(value)
        return Number.isNaN(ms) ? null : ms
      }
    case 'enumeration':
      return (value) => value
    default:
      return (value) => value.toLowerCase()
  }
}

export type Test = (row: ObjectRow) => boolean

export function testOf(
  { groups, query }: SearchQuestion,
  definitions: ReadonlyMap<string, PropertyRow>,
  textOf: (row: ObjectRow, property: string) => string | null,
  associated: (row: ObjectRow, type: string) => readonly string[],
): Test {
  const tests = groups.map((group) => group.map((filter) => filterTest(filter, definitions.get(filter.propertyName), textOf, associated)))
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return (row) => {
    if (tests.length > 0 && !tests.some((group) => group.every((test) => test(row)))) return false
    if (words.length === 0) return true
    const text = Object.values(row.properties).join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  }
}

function filterTest(
  filter: Filter,
  definition: PropertyRow | undefined,
  textOf: (row: ObjectRow, property: string) => string | null,
  associated: (row: ObjectRow, type: string) => readonly string[],
): Test {
  const { propertyName, operator } = filter
  if (propertyName.startsWith('associations.')) {
    const wanted = filter.values ?? [filter.value ?? '']
    return (row) =>
      associated(row, propertyName.slice('associations.'.length)).some((id) => wanted.includes(id)) !== operator.startsWith('N')
  }
  const measure = measureOf(definition)
  const held = (row: ObjectRow) => {
    const value = textOf(row, propertyName)
    return value === null || value === '' ? null : value
  }
  const size = (row: ObjectRow) => {
    const value = held(row)
    return value === null ? null : measure(value)
  }
  const bound = filter.value === undefined ? null : measure(filter.value)
  const high = filter.highValue === undefined ? null : measure(filter.highValue)
  const compare =
    (test: (value: string | number) => boolean): Test =>
    (row) => {
      const value = size(row)
      return value !== null && test(value)
    }
  switch (operator) {
    case 'HAS_PROPERTY':
      return (row) => held(row) !== null
    case 'NOT_HAS_PROPERTY':
      return (row) => held(row) === null
    case 'EQ':
      return compare((value) => value === bound)
    case 'NEQ':
      return (row) => size(row) !== bound
    case 'LT':
      return compare((value) => bound !== null && value < bound)
    case 'LTE':
      return compare((value) => bound !== null && value <= bound)
    case 'GT':
      return compare((value) => bound !== null && value > bound)
    case 'GTE':
      return compare((value) => bound !== null && value >= bound)
    case 'BETWEEN':
      return compare((value) => bound !== null && high !== null && value >= bound && value <= high)
    case 'IN':
    case 'NOT_IN': {
      // Values are compared as they are given: whoever asks for text must send it in lower case.
      const wanted = new Set((filter.values ?? []).map((value) => (definition?.type === 'string' ? value : measure(value))))
      return operator === 'IN' ? compare((value) => wanted.has(value)) : (row) => !wanted.has(size(row))
    }
    default: {
      const pattern = tokenPattern(filter.value ?? '')
      const holds = (row: ObjectRow) =>
        (held(row) ?? '')
          .toLowerCase()
          .split(/[\s,;]+/)
          .some((word) => pattern.test(word) || word.split(/[@.\-_]/).some((part) => pattern.test(part)))
      return operator === 'CONTAINS_TOKEN' ? holds : (row) => !holds(row)
    }
  }
}

const tokenPattern = (value: string) =>
  new RegExp(
    `^${value
      .toLowerCase()
      .trim()
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')}$`,
  )

/** Order of a sort: by the property's measure, then by id as a number; rows without a value come first. */
export function orderBy(
  { property, descending }: SearchQuestion['sort'],
  definition: PropertyRow | undefined,
  textOf: (row: ObjectRow, property: string) => string | null,
): (a: ObjectRow, b: ObjectRow) => number {
  const measure = measureOf(definition)
  const sizes = new Map<ObjectRow, string | number | null>()
  const size = (row: ObjectRow) => {
    let value = sizes.get(row)
    if (value === undefined) {
      const text = textOf(row, property)
      value = text === null ? null : measure(text)
      sizes.set(row, value)
    }
    return value
  }
  const sign = descending ? -1 : 1
  return (a, b) => {
    const left = size(a)
    const right = size(b)
    if (left !== right) {
      if (left === null) return -sign
      if (right === null) return sign
      if (left < right) return -sign
      if (left > right) return sign
    }
    return sign * (Number(a.id) - Number(b.id))
  }
}

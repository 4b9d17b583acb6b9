/** Finds what a SOQL statement asks for: checks it against the org as the user sees it, then filters, sorts and cuts. */
import { refuse } from './errors.js'
import { type Closed, type Org, shownAt } from './org.js'
import type { Cell, Row } from './rows.js'
import type { SField, SObject } from './schema.js'
import type { Condition, Literal, Query } from './soql.js'

/** One asked field: where it stands, and how to read it of a row. */
export interface Column {
  path: string
  field: SField
  read: (row: Row) => Cell | object
}

export interface Found {
  object: SObject
  columns: Column[]
  rows: readonly Row[]
}

type Test = (row: Row) => boolean
const invalid = (message: string) => refuse(400, 'INVALID_FIELD', message)

/** @throws Refused with the vendor's words for what is unknown, closed, or cannot be filtered. */
export function find(org: Org, query: Query, all: boolean, closed: Closed): Found {
  const object = org.object(query.from, closed)
  if (object === undefined)
    throw refuse(
      400,
      'INVALID_TYPE',
      shownAt(
        query,
        query.from,
        `sObject type '${query.from}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
      ),
    )
  const column = (path: string): Column => {
    const { object: at, field, parents } = org.resolve(query, object, path, closed)
    return { path, field, read: (row) => parentOf(org, row, object, parents, (last) => org.value(at, last, field)) }
  }
  const columns = (query.fields ?? []).map(column)
  const test = query.where === undefined ? () => true : testOf(query.where, org, column)
  const order = query.orderBy.map(({ field, ...rest }) => {
    const sorted = column(field)
    if (!sorted.field.sortable) throw invalid(`field '${field}' can not be sorted in a query call`)
    return { ...rest, read: sorted.read }
  })
  let rows: Row[] = []
  for (const row of org.rows(object, all)) if (test(row)) rows.push(row)
  if (order.length > 0)
    rows.sort((a, b) => {
      for (const { read, descending, nullsLast } of order) {
        const [left, right] = [read(a), read(b)]
        if (left === null || right === null) {
          if (left === right) continue
          return (left === null) === nullsLast ? 1 : -1
        }
        if (left !== right) return (left < right ? -1 : 1) * (descending ? -1 : 1)
      }
      return 0
    })
  if (query.offset > 0 || query.limit !== undefined) rows = rows.slice(query.offset, query.offset + (query.limit ?? rows.length))
  return { object, columns, rows }
}

function parentOf(org: Org, row: Row, object: SObject, parents: readonly SField[], read: (row: Row) => Cell | object): Cell | object {
  let at = row
  let of = object
  for (const link of parents) {
    const id = org.value(of, at, link)
    const names = link.referenceTo
    const next =
      typeof id === 'string' ? names.map((name) => org.store.tables.get(name)?.get(id)).find((one) => one !== undefined) : undefined
    if (next === undefined) return null
    at = next
    of = org.store.schema.get(names.find((name) => org.store.tables.get(name)?.get(next.id) !== undefined) ?? '') as SObject
  }
  return read(at)
}

function testOf(condition: Condition, org: Org, column: (path: string) => Column): Test {
  if (condition.kind === 'not') {
    const inner = testOf(condition.of, org, column)
    return (row) => !inner(row)
  }
  if (condition.kind !== 'compare') {
    const inner = condition.of.map((one) => testOf(one, org, column))
    return condition.kind === 'and' ? (row) => inner.every((test) => test(row)) : (row) => inner.some((test) => test(row))
  }
  const { field, read } = column(condition.field)
  if (!field.filterable) throw invalid(`field '${condition.field}' can not be filtered in a query call`)
  const { op } = condition
  const bounds = condition.values.map((literal) => wanted(org, field, condition.field, literal))
  const [from, to] = bounds[0] as [Cell, Cell]
  const text = (value: unknown) =>
    typeof value === 'string' && field.type !== 'id' && field.type !== 'reference' ? value.toLowerCase() : value
  const within = (value: Cell | object, [low, high]: readonly [Cell, Cell]) =>
    low === null || value === null
      ? low === value
      : low === high
        ? text(value) === text(low)
        : (value as Cell)! >= low && (value as Cell)! < (high as Cell)!
  switch (op) {
    case '=':
      return (row) => within(read(row), [from, to])
    case '!=':
      return (row) => !within(read(row), [from, to])
    case 'IN':
    case 'NOT IN': {
      const set = new Set(bounds.map(([low]) => text(low)))
      return (row) => set.has(text(read(row)) as Cell) === (op === 'IN')
    }
    case 'LIKE': {
      const pattern = new RegExp(
        `^${String(from)
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replace(/%/g, '[\\s\\S]*')
          .replace(/_/g, '.')}$`,
        'i',
      )
      return (row) => pattern.test(String(read(row) ?? ''))
    }
    default: {
      const compare = {
        '<': (v: Cell) => v! < from!,
        '<=': (v: Cell) => v! < to! || v === from,
        '>': (v: Cell) => v! >= to! && v !== from,
        '>=': (v: Cell) => v! >= from!,
      }[op] as (value: Cell) => boolean
      return (row) => {
        const value = read(row) as Cell
        return value !== null && compare(value)
      }
    }
  }
}

const dayMs = 86_400_000

/** What a literal stands for, as a range that is open above; a point where both ends are equal. */
function wanted(org: Org, field: SField, path: string, { kind, text }: Literal): [Cell, Cell] {
  const isTime = field.type === 'datetime' || field.type === 'date'
  if (kind === 'bare' && /^null$/i.test(text)) return [null, null]
  if (isTime) {
    if (kind === 'text')
      throw invalid(
        `value of filter criterion for field '${path}' must be of type ${field.type === 'date' ? 'date' : 'dateTime'} and should not be enclosed in quotes`,
      )
    const [, days] = /^LAST_N_DAYS:(\d+)$/i.exec(text) ?? []
    const today = Math.floor(org.nowMs() / dayMs) * dayMs
    const range: [number, number] | undefined = /^TODAY$/i.test(text)
      ? [today, today + dayMs]
      : days !== undefined
        ? [today - Number(days) * dayMs, today + dayMs]
        : undefined
    if (range === undefined && kind !== 'date') throw invalid(`value of filter criterion for field '${path}' must be of type dateTime`)
    const at = range === undefined ? Date.parse(text) : 0
    if (field.type === 'datetime') return range ?? [at, at]
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
    return range === undefined ? [text.slice(0, 10), text.slice(0, 10)] : [day(range[0]), day(range[1])]
  }
  if (field.type === 'boolean') {
    if (kind !== 'bare' || !/^(true|false)$/i.test(text))
      throw invalid(`value of filter criterion for field '${path}' must be of type boolean and should not be enclosed in quotes`)
    return [/^true$/i.test(text), /^true$/i.test(text)]
  }
  if (['int', 'double', 'currency', 'percent'].includes(field.type)) {
    if (kind === 'text')
      throw invalid(`value of filter criterion for field '${path}' must be of type double and should not be enclosed in quotes`)
    return [Number(text), Number(text)]
  }
  if (kind !== 'text')
    throw invalid(`value of filter criterion for field '${path}' must be of type string and should be enclosed in quotes`)
  return [text, text]
}

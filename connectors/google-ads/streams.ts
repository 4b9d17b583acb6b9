import { Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Page, Rec, Slice, Slicing, SyncMode } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { accountIds } from './accounts.js'
import { account, type Columns } from './fields.js'
import { fieldsOf, flatten, nameOf, type Query } from './gaql.js'
import { identity, rowReader } from './read.js'

/** The shapes that the streams of Google Ads have. Dates are the account's calendar days. */

/** Google keeps daily figures for so long, today included (announced for 2026-06-01). */
const keptMonths = 37

const dayOf = (instant: string | number) => new Date(instant).toISOString().slice(0, 10)
/** The last day of a slice: its end is exclusive. */
const lastDay = ({ to }: Slice) => dayOf(Date.parse(to!) - 1)
const daysBefore = (days: number, last: string) => dayOf(Date.parse(last) - days * dayMs)

/** The first day of which Google still has figures, with two days to spare: an account's today may lag behind. */
export function oldestDay(last: string): string {
  const at = new Date(last)
  at.setUTCMonth(at.getUTCMonth() - keptMonths)
  return dayOf(at.getTime() + 2 * dayMs)
}

interface Shape {
  description: string
  from: string
  columns: Columns
  /** Fields that tell its rows apart, beside the account. */
  key: readonly string[]
  isDefault?: boolean
}

const modes: readonly SyncMode[] = ['replace_slice', 'merge', 'replace', 'history']
const lanes = 4

/** What both have: whose the rows are, and how they are flattened. @param own the resource whose name columns go without */
function shaped({ description, columns, key, isDefault = true }: Shape, own?: string) {
  const all = { ...account, ...columns }
  const paths = Object.keys(all)
  const name = (path: string) => nameOf(path, own)
  const keys = ['customer.id', ...key].map(name)
  return {
    paths,
    stream: {
      description,
      isDefault,
      key: keys as [string, ...string[]],
      fields: fieldsOf(all, own),
      record: flatten(paths, own),
      parallel: lanes,
    },
  }
}

/**
 * Things as they stand, account by account: each slice is all that one account has, so what is gone there goes here, and an account
 * that is closed leaves the others alone. Without segments, since those would leave out whatever had no traffic.
 */
export function entity(given: Shape & { of?: 'all' | 'advertisers'; where?: string[] }): DeclaredStream {
  const { from, key, of = 'advertisers', where = [] } = given
  const orderBy = ['customer.id', ...key]
  const { paths, stream } = shaped(given, from)
  return {
    ...stream,
    mode: 'replace_slice',
    modes,
    bounds: { parent: nameOf('customer.id', from) },
    passes: [
      {
        slicing: { by: 'parent', parents: accountIds(of) },
        read: rowReader(() => [{ select: paths, from, where, orderBy }]),
      },
    ],
  }
}

/** Days of the advertisers' accounts, each with ranges of its own. */
const byDay = (days: number, lookbackDays: number, oldest: (last: string) => string): Extract<Slicing, { by: 'time' }> => ({
  by: 'time',
  days,
  lookbackMs: lookbackDays * dayMs,
  lagMs: 0,
  first: 'whole',
  parents: accountIds('advertisers'),
  wholeDays: true,
  smallestMs: dayMs,
  earliest: (_, from) => Promise.resolve(from ?? `${oldest(dayOf(Date.now()))}T00:00:00.000Z`),
})

const between = ({ from, to }: Slice, oldest: (last: string) => string) => {
  const last = lastDay({ pass: '', to: to! })
  return [from === undefined ? oldest(last) : dayOf(from), last] as const
}

/**
 * What each day gave, restated for as long as conversions come in: a month is read again (30 days is the default window; up to 90
 * can be set), and each slice of an account's days takes the place of what stood there, since rows also vanish or split.
 */
export function report(given: Omit<Shape, 'key'> & { key?: readonly string[]; metrics: Columns; where?: string[] }): DeclaredStream {
  const { from, metrics, columns, where = [] } = given
  const dims = Object.keys(columns)
  const key = given.key ?? dims
  const { paths, stream } = shaped({ ...given, key, columns: { ...columns, ...metrics } })
  return {
    ...stream,
    ...(given.key ? {} : withRowId(stream, dims)),
    mode: 'replace_slice',
    modes,
    cursor: { field: 'date', ordered: false },
    bounds: { parent: 'customer_id', range: 'date' },
    passes: [
      {
        slicing: byDay(30, 30, oldestDay),
        read: rowReader((slice) => {
          const [first, last] = between(slice, oldestDay)
          return [{ select: paths, from, where: [...where, `segments.date BETWEEN '${first}' AND '${last}'`], orderBy: key }]
        }),
      },
    ],
  }
}

/** Where nothing short and never null tells rows apart: a hash of all that is no metric. */
export const withRowId = (
  { fields, record }: Pick<DeclaredStream, 'fields' | 'record'>,
  dims: readonly string[],
): Pick<DeclaredStream, 'key' | 'fields' | 'record'> => ({
  key: ['customer_id', 'row_id'],
  fields: { ...fields, row_id: { type: 'text' } },
  record: (row) => ({ ...record(row), row_id: identity(row, dims) }),
})

const clicksKept = (last: string) => daysBefore(89, last)

/** Single clicks. A query must name one day, and Google keeps 90. */
export function clicks(given: Shape): DeclaredStream {
  const { from, key } = given
  const { paths, stream } = shaped(given, from)
  return {
    ...stream,
    mode: 'replace_slice',
    modes,
    cursor: { field: 'date', ordered: false },
    bounds: { parent: 'customer_id', range: 'date' },
    passes: [
      {
        slicing: byDay(1, 3, clicksKept),
        read: rowReader((slice) => {
          const [first, last] = between(slice, clicksKept)
          const queries: Query[] = []
          for (let at = first; at <= last; at = daysBefore(-1, at))
            queries.push({ select: paths, from, where: [`segments.date = '${at}'`], orderBy: key })
          return queries
        }),
      },
    ],
  }
}

/** The vendor's largest LIMIT for changes, and it must be given. */
const mostChanges = 10_000

/**
 * Changes, by their time on the account's clock: a slice's instants stand for it. A range that fills the LIMIT has more than is shown,
 * so it is halved. Google shows a change minutes late.
 */
export function changes(given: Shape & { at: string; keptDays: number }): DeclaredStream {
  const { from, key, at, keptDays } = given
  const { paths, stream } = shaped(given, from)
  const wall = (instant: number) => new Date(instant).toISOString().slice(0, 23).replace('T', ' ')
  const rows = rowReader((slice) => {
    const start = slice.from === undefined ? Date.parse(daysBefore(keptDays - 1, lastDay(slice))) : Date.parse(slice.from)
    const where = [`${at} >= '${wall(start)}'`, `${at} <= '${wall(Date.parse(slice.to!) - 1)}999'`]
    return [{ select: paths, from, where, orderBy: [at, ...key], limit: mostChanges }]
  })
  return {
    ...stream,
    mode: 'merge',
    modes: ['merge', 'append'],
    passes: [
      {
        slicing: { ...byDay(7, 1, (last) => daysBefore(keptDays - 1, last)), smallestMs: 1_000 },
        read: (context) => allOrTooMany(rows(context)),
      },
    ],
  }
}

async function* allOrTooMany(pages: AsyncIterable<Page>): AsyncIterable<Page> {
  const records: Rec[] = []
  for await (const page of pages) records.push(...page.records)
  if (records.length >= mostChanges)
    throw new Failure('too_large', `Google Ads shows ${mostChanges} changes at most, and this range has them.`)
  yield { records }
}

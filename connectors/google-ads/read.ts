import type { Page, ReadContext, Rec, Slice } from '../../src/core/types.js'
import { rowId } from '../../src/extract/row-id.js'
import { anyAccount, loginOf } from './accounts.js'
import { rowsOf } from './api.js'
import { cellOf, type Query } from './gaql.js'

/** Who a row is: keys may be whole search terms or addresses. */
export const identity = (row: Rec, paths: readonly string[]): string => rowId(paths.map((path) => cellOf(row, path) ?? null))

/**
 * Reads the queries of a slice one after another. Streamed answers have no page tokens: a reading that goes on asks again and passes
 * over what it had, up to the row that it gave last. Has that row vanished meanwhile, the query is given again from its start, and
 * keys absorb what comes twice.
 * @param queries each ordered by fields that tell its rows apart
 */
export const rowReader = (queries: (slice: Slice) => readonly Query[]) =>
  async function* ({ http, slice, resume }: ReadContext): AsyncIterable<Page> {
    const customer = slice.parent ?? (await anyAccount(http))
    const login = await loginOf(http, customer)
    const asked = queries(slice)
    let after = typeof resume?.after === 'string' ? resume.after : undefined
    for (let at = Number(resume?.at ?? 0); at < asked.length; at++, after = undefined) {
      const read = (last?: string) => answer(rowsOf(http, customer, login, asked[at]!), asked[at]!, at, last)
      if (!(yield* read(after))) yield* read()
    }
    // Only now is it known that the last answer came to its end.
    yield { records: [] }
  }

/** The pages of an answer behind a row. @returns whether that row was there */
async function* answer(
  chunks: AsyncIterable<Rec[]>,
  { orderBy = [] }: Query,
  at: number,
  after: string | undefined,
): AsyncGenerator<Page, boolean> {
  let isBehind = after === undefined
  for await (const rows of chunks) {
    const found = isBehind ? 0 : rows.findIndex((row) => identity(row, orderBy) === after) + 1
    isBehind ||= found > 0
    const records = isBehind ? rows.slice(found) : []
    if (records.length > 0) yield { records, resume: { at, after: identity(records.at(-1)!, orderBy) } }
  }
  return isBehind
}

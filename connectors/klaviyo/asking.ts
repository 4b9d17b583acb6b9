import { dayMs } from '../../src/core/slices.js'
import type { Fields, Http, HttpRequest, Rec, Slice, Slicing } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { at } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { pages } from './api.js'

/** How Klaviyo's collections are asked for, and how their resources become records. */

/** Attributes to the top level, beside the id; links and empty relationships stay behind. */
export const flat = ({ id, attributes }: Rec): Rec => ({ id, ...(attributes as Rec) })
export const related = (raw: Rec, name: string) => at(raw, `relationships.${name}.data.id`)
/** Bounds are whole seconds, written without quotes: Klaviyo stores no finer ones. */
export const instant = (iso: string) => iso.replace(/\.\d+Z$/, 'Z')
export const secondBefore = (iso: string) => instant(new Date(Date.parse(iso) - 1_000).toISOString())
const all = (...terms: (string | undefined)[]) => {
  const given = terms.filter((term) => term !== undefined)
  return given.length === 0 ? undefined : given.length === 1 ? given[0]! : `and(${given.join(',')})`
}

/** From `from` on, before `to`. */
export const within = (field: string, { from, to }: Slice, ...more: string[]) =>
  all(...more, from && `greater-or-equal(${field},${instant(from)})`, to && `less-than(${field},${instant(to)})`)
/** Where a field knows only greater-than: from a second earlier, and the key absorbs what is read twice. */
export const after = (field: string, { from, to }: Slice) =>
  all(from && `greater-than(${field},${secondBefore(from)})`, to && `less-than(${field},${instant(to)})`)

/** The oldest value of a cursor: the first record of the ordered collection, or the first that a filter leaves. */
export const earliest = (path: string, field: string, budget: string, from: typeof within) => async (http: Http, since?: string) => {
  const filter = from(field, { pass: 'main', ...(since === undefined ? {} : { from: since }) })
  const { body } = await http.request({ path, query: { ...(filter ? { filter } : {}), sort: field, 'page[size]': 1 }, budget })
  const value = at(body, `data.0.attributes.${field}`)
  return typeof value === 'string' ? value : undefined
}

/** Ids of the resources whose parts are read one by one. */
export const idsOf = (path: string, budget: string, queries: readonly NonNullable<HttpRequest['query']>[] = [{}]) =>
  async function* (http: Http): AsyncIterable<string> {
    const requests = () => queries.map((query) => ({ path, query, budget }))
    for await (const { records } of walk({ http, paginator: pages, requests })) for (const { id } of records) yield String(id)
  }

export const changes = (lookbackMs: number): Extract<Slicing, { by: 'time' }> => ({ by: 'time', lookbackMs, lagMs: 0, first: 'whole' })

/** Small collections without a usable filter: read whole, and what is gone there is gone here. */
export const whole = (
  path: string,
  description: string,
  columns: Fields,
  budget: string,
  { query = {}, record = flat }: { query?: HttpRequest['query'] & {}; record?: DeclaredStream['record'] } = {},
): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'replace',
  modes: ['replace', 'merge', 'history'],
  record,
  passes: [{ slicing: { by: 'all' }, ask: () => ({ path, query, budget }), pages }],
})

/** Collections that are filtered by when they changed; read once for each of `terms`, since Klaviyo gives only one kind at a time. */
export const changed = (
  path: string,
  description: string,
  columns: Fields,
  budget: string,
  field: string,
  terms: string[] = [],
  size?: number,
): DeclaredStream => ({
  description,
  key: ['id'],
  fields: columns,
  mode: 'merge',
  modes: ['merge', 'append', 'replace', 'history'],
  record: flat,
  // Their order is advisory: archived campaigns come slightly out of it.
  cursor: { field, ordered: false },
  passes: [
    {
      slicing: changes(dayMs),
      ask: (slice) =>
        (terms.length === 0 ? [undefined] : terms).map(
          (term): HttpRequest => ({
            path,
            query: { filter: within(field, slice, ...(term ? [term] : [])), sort: field, 'page[size]': size },
            budget,
          }),
        ),
      pages,
    },
  ],
})

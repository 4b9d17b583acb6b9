import { asFailure, Failure } from '../../src/core/failure.js'
import type { Http, Page, ReadContext, Rec } from '../../src/core/types.js'
import { at, type Paginator, recordsAt } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { path } from './api.js'
import { namesOf } from './fields.js'

/**
 * The end is where `paging.next` is missing: pages may be short or empty before it, and the last one has cursors too. That address
 * holds the token and is never used: the same request goes on behind its cursor.
 */
export const pages: Paginator = {
  records: recordsAt('data'),
  next(body) {
    if (at(body, 'paging.next') === undefined) return undefined
    const after = at(body, 'paging.cursors.after')
    if (typeof after === 'string' && after !== '') return after
    throw new Failure('transient', 'Meta says that there are more pages, and gives no cursor to them.')
  },
  request: (first, token) => ({ ...first, query: { ...first.query, after: token } }),
}

/** A client that asks for half a page, and half of that, where Meta finds one too large. "Unknown error" often means the same. */
export function sparing(http: Http): Http {
  return {
    ...http,
    async request(request) {
      for (let limit = Number(request.query?.limit); ; limit = Math.floor(limit / 2)) {
        try {
          return await http.request({ ...request, query: { ...request.query, limit } })
        } catch (error) {
          const { reason, where } = asFailure(error)
          const mayFit = reason === 'too_large' || (reason === 'transient' && where.code === '1')
          if (!mayFit || !(limit > 1)) throw error
        }
      }
    },
  }
}

export interface Edge {
  name: string
  /** Records a page; Meta takes 100 at many edges, and fewer where records are large. */
  limit: number
  /** Parameters of each walk of a slice; without it one walk of everything. */
  queries?: (context: ReadContext) => readonly Rec[]
  /** Fields that are ours, and unknown to Meta. */
  own?: readonly string[]
}

/** All nodes of one edge of an ad account, the slice's parent. */
export const listed = (edge: Edge) => (context: ReadContext) => nodes(edge, context)

async function* nodes({ name, limit, queries = () => [{}], own = [] }: Edge, context: ReadContext): AsyncIterable<Page> {
  const { http, slice, resume } = context
  const account = slice.parent!
  const fields = namesOf(context.fields, ['account_id', ...own]).join(',')
  const requests = () =>
    queries(context).map((query) => ({
      path: path(http, `act_${account}/${name}`),
      query: { fields, limit, ...(query as Record<string, string | number>) },
      payer: account,
    }))
  for await (const page of walk({ http: sparing(http), paginator: pages, requests, resume }))
    yield { ...page, records: page.records.map((record) => ({ account_id: account, ...record })) }
}

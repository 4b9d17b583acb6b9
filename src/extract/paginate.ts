import { Failure } from '../core/failure.js'
import type { HttpRequest, Rec } from '../core/types.js'

/** How one kind of API walks from page to page. The end is the vendor's own mark, never a page's size. */
export interface Paginator {
  /** @throws Failure when there is no list at all: such an answer is not an empty page. */
  records: (body: Rec) => Rec[]
  /** Where the next page is; undefined at the vendor's end mark. @param token the one that led to this page; none to the first */
  next: (body: Rec, token?: string) => string | undefined
  request: (first: HttpRequest, token: string) => HttpRequest
}

/** The value at a dotted path of a body. */
export function at(body: unknown, path: string): unknown {
  let value = body
  for (const step of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Rec)[step] : undefined
  return value
}

export const recordsAt = (path: string) => (body: Rec) => {
  const found = at(body, path)
  if (Array.isArray(found)) return found as Rec[]
  throw new Failure('transient', `The vendor answered without the list "${path}" that a page consists of.`)
}

const tokenAt = (path: string) => (body: Rec) => {
  const found = at(body, path)
  return found === undefined || found === null || found === '' ? undefined : String(found)
}

/** A whole URL to the next page, filter and all: sent back untouched. */
export const nextLink = (records: string, next: string): Paginator => ({
  records: recordsAt(records),
  next: tokenAt(next),
  request: ({ budget, headers }, token) => ({ path: token, ...(budget ? { budget } : {}), ...(headers ? { headers } : {}) }),
})

/** A cursor that goes into a query parameter of the same request. */
export const cursorParameter = (records: string, next: string, parameter: string): Paginator => ({
  records: recordsAt(records),
  next: tokenAt(next),
  request: (first, token) => ({ ...first, query: { ...first.query, [parameter]: token } }),
})

/** A cursor that goes into the body of the same request. */
export const cursorInBody = (records: string, next: string, field: string): Paginator => ({
  records: recordsAt(records),
  next: tokenAt(next),
  request: (first, token) => ({ ...first, body: { ...(first.body as Rec), [field]: token } }),
})

/** An offset that goes into the body of the same request, as long as the vendor says that there is more. */
export const offsetInBody = (records: string, offset: string, hasMore: string): Paginator => ({
  records: recordsAt(records),
  next: (body) => (at(body, hasMore) === true ? tokenAt(offset)(body) : undefined),
  request: (first, token) => ({ ...first, body: { ...(first.body as Rec), [offset]: Number(token) } }),
})

/** An offset that goes into the body and counts what has come. The vendor's end mark is an answer without records, so a short page is no end. */
export const countedInBody = (records: Paginator['records'], offset: string): Paginator => ({
  records,
  next: (body, token = '0') => {
    const { length } = records(body)
    return length === 0 ? undefined : String(Number(token) + length)
  },
  request: (first, token) => ({ ...first, body: { ...(first.body as Rec), [offset]: Number(token) } }),
})

/** All at once. */
export const onePage = (records: string | Paginator['records']): Paginator => ({
  records: typeof records === 'string' ? recordsAt(records) : records,
  next: () => undefined,
  request: (first) => first,
})

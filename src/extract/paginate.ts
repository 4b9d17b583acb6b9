import type { HttpRequest, Rec } from '../core/types.js'

/** How one kind of API walks from page to page. The end is the vendor's own mark, never a page's size. */
export interface Paginator {
  records: (body: Rec) => Rec[]
  /** Where the next page is; undefined at the vendor's end mark. */
  next: (body: Rec) => string | undefined
  request: (first: HttpRequest, token: string) => HttpRequest
}

/** The value at a dotted path of a body. */
export function at(body: unknown, path: string): unknown {
  let value = body
  for (const step of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Rec)[step] : undefined
  return value
}

const recordsAt = (path: string) => (body: Rec) => {
  const found = at(body, path)
  return Array.isArray(found) ? (found as Rec[]) : []
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

/** All at once. */
export const onePage = (records: string): Paginator => ({ records: recordsAt(records), next: () => undefined, request: (first) => first })

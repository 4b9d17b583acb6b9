/** What passes between the server and a vendor: a request read in full, and an answer not yet written. */
import type { IncomingHttpHeaders } from 'node:http'

export interface Request {
  method: string
  /** Decoded path without a trailing slash. */
  path: string
  /** Path and query exactly as they came. */
  url: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  /** `http://host:port` as the client wrote it in `Host`; links in answers start with it. */
  origin: string
  text: string
  /** Filled by the router from `:name` parts of a route. */
  params: Record<string, string>
  /** A fault asked for a page of half the size. */
  halfPage: boolean
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  /** An object is written as JSON, a string as it is, nothing as an empty body. */
  body?: unknown
  contentType?: string
}

/** Thrown where a request is refused, with the vendor's own answer. */
export class Refused extends Error {
  constructor(readonly reply: Reply) {
    super('refused')
  }
}

/** A refusal is an answer too. */
export function answered(make: () => Reply): Reply {
  try {
    return make()
  } catch (error) {
    if (error instanceof Refused) return error.reply
    throw error
  }
}

/** Troubles that each vendor words in its own way. */
export type Trouble =
  | { kind: 'throttled'; retryAfter: string | null }
  | { kind: 'expired-token' }
  | { kind: 'expired-cursor' }
  | { kind: 'status'; status: number }

/** Where the records and the way on stand in a vendor's pages; page faults go by it. */
export interface PageShape {
  records(body: unknown): unknown[] | undefined
  /** Makes the page's way on lead to the request's own page again. */
  repeat(body: unknown, request: Request): void
  /** Points absolute next links at another origin. */
  moveNext(body: unknown, origin: string): void
}

export interface Vendor {
  name: string
  /** Beginnings of the paths that belong to this vendor; the first vendor that claims a path has it. */
  roots: readonly string[]
  /** Requests besides that are its own: where two vendors use one path of different hosts. */
  claims?(request: Request): boolean
  handle(request: Request): Reply
  trouble(trouble: Trouble, request: Request): Reply
  page: PageShape
}

export type Handler = (request: Request) => Reply

interface Route {
  method: string
  parts: string[]
  handle: Handler
}

/** A list of routes such as `GET /api/lists/:id`; the first that fits answers. */
export class Router {
  private readonly routes: Route[] = []

  on(pattern: string, handle: Handler): this {
    const [method = '', path = ''] = pattern.split(' ')
    this.routes.push({ method, parts: path.split('/').slice(1), handle })
    return this
  }

  /** The answer, or why there is none: no such path, or not with this method. */
  answer(request: Request): Reply | 'no-path' | 'no-method' {
    const parts = request.path.split('/').slice(1)
    let pathKnown = false
    for (const route of this.routes) {
      const params = match(route.parts, parts)
      if (params === undefined) continue
      pathKnown = true
      if (route.method !== request.method) continue
      request.params = params
      return route.handle(request)
    }
    return pathKnown ? 'no-method' : 'no-path'
  }
}

function match(pattern: string[], parts: string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (let i = 0; i < pattern.length; i++) {
    const want = pattern[i] as string
    const have = parts[i] as string
    if (want.startsWith(':')) params[want.slice(1)] = have
    else if (want !== have) return undefined
  }
  return params
}

/** The body as a JSON object; anything else, also broken JSON, is undefined. */
export function jsonObject(request: Request): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(request.text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Serves the status page of a worker: read-only, on this machine unless told otherwise, a few queries every few seconds at most. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { asFailure, Failure } from '../src/core/failure.js'
import type { Clock, Log } from '../src/core/ports.js'
import type { Redact } from '../src/observe/redact.js'
import { failurePage, page, style } from '../src/status/page.js'
import { type ShownBackfill, type StatusView, viewOf } from '../src/status/view.js'
import type { Overview } from '../src/warehouse/contract/reports.js'

export interface StatusSources {
  overview: (limits: { days: number; runs: number; withinMs: number }) => Promise<Overview>
  /** Newest first. */
  backfills: () => Promise<ShownBackfill[]>
  /** Do the worker's queues take work? */
  isWorking: () => boolean
  temporalUi: string | undefined
  namespace: string
  clock: Clock
  log: Log
  redact: Redact
}

export interface StatusServer {
  url: string
  close: () => Promise<void>
}

/** `host:port`, an IPv6 host in brackets. */
export type StatusAddress = { host: string; port: number }

const days = 14
const runs = 20
/** The warehouse is asked at most this often, however many look. */
const keepMs = 5_000
const withinMs = 3_000

const headers = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** @throws Failure `config` where the address cannot be had */
export async function startStatusServer({ host, port }: StatusAddress, sources: StatusSources): Promise<StatusServer> {
  const look = createLook(sources)
  const server = createServer((request, response) => {
    answer(request, response, { host, look, sources }).catch((error: unknown) => {
      sources.log.warn(`status page: ${asFailure(error).message}`)
      if (!response.headersSent) send(response, 500, 'text/plain', 'Something went wrong; the worker’s log says what.')
      else response.destroy()
    })
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `The status page cannot be served at ${host}:${port}: ${error.message}. Set WEIR_STATUS_ADDRESS to another address, or to off.`
      reject(new Failure('config', message, {}, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
  const at = server.address()
  const bound = typeof at === 'object' && at ? at.port : port
  return {
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Context {
  host: string
  look: () => Promise<Seen>
  sources: StatusSources
}

async function answer(request: IncomingMessage, response: ServerResponse, { host, look, sources }: Context): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'text/plain', 'Only GET and HEAD.', { allow: 'GET, HEAD' })
  // A page elsewhere may have its name lead to this machine; what it would read stands under a foreign name then.
  if (isLoopback(host) && !isLocalName(request.headers.host))
    return send(response, 421, 'text/plain', 'This address serves this machine alone.')
  const { pathname } = new URL(request.url ?? '/', 'http://local')
  if (pathname === '/healthz') return send(response, 200, 'text/plain', 'ok')
  if (!['/', '/status.json', '/readyz'].includes(pathname))
    return send(response, 404, 'text/plain', 'There is /, /status.json, /healthz and /readyz.')
  const seen = await look()
  if (pathname === '/readyz') {
    const problem = sources.isWorking() ? seen.problem : 'The worker takes no work.'
    return send(response, problem === undefined ? 200 : 503, 'text/plain', problem ?? 'ready')
  }
  const { view, problem } = seen
  const notice = problem === undefined ? undefined : `The warehouse did not answer: ${problem} What is shown is older.`
  if (pathname === '/status.json')
    return send(
      response,
      view ? 200 : 503,
      'application/json',
      JSON.stringify(view ? { ...view, ...(problem ? { problem } : {}) } : { problem }, null, 2),
    )
  return send(response, view ? 200 : 503, 'text/html', view ? page(view, notice) : failurePage(problem ?? 'nothing is known yet'))
}

function send(response: ServerResponse, status: number, type: string, body: string, more: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, ...more, 'content-type': `${type}; charset=utf-8` })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** The newest view, and what stood in the way of a newer one. */
interface Seen {
  view: StatusView | undefined
  problem: string | undefined
}

/** Looks at the warehouse, for all who ask within a few seconds once. */
function createLook({ overview, backfills, temporalUi, namespace, clock, redact }: StatusSources): () => Promise<Seen> {
  let seen: Seen = { view: undefined, problem: undefined }
  let seenAtMs = Number.NEGATIVE_INFINITY
  let looking: Promise<Seen> | undefined
  const lookNow = async (): Promise<Seen> => {
    try {
      const [known, filling] = await Promise.all([overview({ days, runs, withinMs }), backfills()])
      seen = { view: viewOf(known, { backfills: filling, temporalUi, namespace, days }), problem: undefined }
    } catch (error) {
      seen = { view: seen.view, problem: redact(asFailure(error).message) }
    }
    seenAtMs = clock.now().getTime()
    return seen
  }
  return () => {
    if (clock.now().getTime() - seenAtMs < keepMs) return Promise.resolve(seen)
    looking ??= lookNow().finally(() => {
      looking = undefined
    })
    return looking
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
const isLocalName = (name: string | undefined): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(name ?? '')

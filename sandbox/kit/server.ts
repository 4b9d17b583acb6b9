/** One HTTP server on the loopback for all vendors: reads the request, asks for faults, lets the vendor answer, logs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fault, Faults } from './faults.js'
import type { Reply, Request, Vendor } from './http.js'
import type { RequestLog } from './log.js'
import { htmlReply, send } from './send.js'

export interface SandboxServer {
  url: string
  stop(): Promise<void>
}

export interface ServerParts {
  vendors: readonly Vendor[]
  /** Answers under `/_sandbox`, untouched by faults and not logged. */
  admin: Pick<Vendor, 'handle'>
  faults: Faults
  log: RequestLog
  /** Called before each request is answered: the company catches up with the clock. */
  catchUp(): void
}

const requestBytesMax = 32 * 1024 * 1024

export async function startServer(parts: ServerParts, port: number): Promise<SandboxServer> {
  // Vendors take addresses longer than Node's usual limit of 16 kB, and answer 414 themselves.
  const server = createServer({ maxHeaderSize: 128 * 1024, keepAliveTimeout: 60_000 }, (incoming, response) => {
    answer(parts, incoming, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(`The sandbox itself failed: ${error instanceof Error ? error.stack : String(error)}`)
    })
  })
  await listen(server, port)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function answer(
  { vendors, admin, faults, log, catchUp }: ServerParts,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAtMs = Date.now()
  const started = performance.now()
  const request = await read(incoming)
  const isBelow = (root: string) => request.path === root || request.path.startsWith(`${root}/`)
  if (isBelow('/_sandbox')) return send(response, admin.handle(request), undefined, undefined)
  const vendor = vendors.find((one) => one.claims?.(request) || one.roots.some(isBelow))
  if (vendor === undefined)
    return send(response, { status: 404, body: { message: `Nothing is served at ${request.path}.` } }, undefined, undefined)
  catchUp()
  const taken = faults.take(vendor.name, request)
  const fault = taken.find(({ kind }) => kind !== 'slow')
  const note = (status: number) => {
    const fired = taken[0] === undefined ? {} : { fault: (fault ?? taken[0]).kind }
    log.add({ vendor: vendor.name, ...describe(request), status, receivedAtMs: startedAtMs, tookMs: performance.now() - started, ...fired })
  }
  let drip: number | undefined
  for (const slow of taken) {
    if (slow.kind !== 'slow') continue
    if (slow.drip) drip = slow.ms
    else await new Promise((resolve) => setTimeout(resolve, slow.ms).unref())
  }
  if (fault?.kind === 'reset' && fault.when === 'before') {
    note(0)
    incoming.socket.resetAndDestroy()
    return
  }
  if (fault?.kind === 'hang') return note(0)
  const reply = instead(fault, vendor, request) ?? damaged(vendor.handle(request), fault, vendor, request)
  note(reply.status)
  send(response, reply, fault, drip)
}

/** The answer of a fault that leaves the vendor unasked. */
function instead(fault: Fault | undefined, vendor: Vendor, request: Request): Reply | undefined {
  switch (fault?.kind) {
    case 'throttled':
      return vendor.trouble({ kind: 'throttled', retryAfter: fault.retryAfter == null ? null : String(fault.retryAfter) }, request)
    case 'expired-token':
    case 'expired-cursor':
      return vendor.trouble(fault, request)
    case 'status': {
      const reply: Reply =
        fault.body === 'html'
          ? htmlReply(fault.status)
          : fault.body === 'empty'
            ? { status: fault.status }
            : vendor.trouble({ kind: 'status', status: fault.status }, request)
      return { ...reply, headers: { ...reply.headers, ...fault.headers } }
    }
    case 'html':
      return htmlReply(200)
    case 'empty':
      return { status: 200 }
    case 'redirect':
      return { status: fault.status ?? 302, headers: { location: fault.origin + request.url } }
    case 'page':
      request.halfPage = fault.what === 'short'
      return undefined
    default:
      return undefined
  }
}

function damaged(reply: Reply, fault: Fault | undefined, { page }: Vendor, request: Request): Reply {
  if (fault?.kind === 'next-host') page.moveNext(reply.body, fault.origin)
  if (fault?.kind !== 'page') return reply
  const records = page.records(reply.body)
  if (records === undefined) return reply
  if (fault.what === 'shuffled') records.reverse()
  if (fault.what === 'empty') records.length = 0
  if (fault.what === 'empty' || fault.what === 'duplicate') page.repeat(reply.body, request)
  return reply
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const url = incoming.url ?? '/'
  const cut = url.indexOf('?')
  const path = cut < 0 ? url : url.slice(0, cut)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= requestBytesMax) chunks.push(chunk)
  }
  return {
    method: incoming.method ?? 'GET',
    path: decode(path).replace(/\/+$/, '') || '/',
    url,
    query: new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1)),
    headers: incoming.headers,
    origin: `http://${incoming.headers.host ?? '127.0.0.1'}`,
    text: Buffer.concat(chunks).toString('utf8'),
    params: {},
    halfPage: false,
  }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function describe({ method, path, query, headers }: Request) {
  const parameters: Record<string, string> = {}
  for (const [name, value] of query) parameters[name] = name in parameters ? `${parameters[name]},${value}` : value
  return {
    method,
    path,
    query: parameters,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  }
}

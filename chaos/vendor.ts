/**
 * A local vendor that answers as Klaviyo's /api/profiles and /api/events do: filters by time, page links that stay valid while
 * records move, a hundred records a page. It is slow where a load would end before its faults are through, and fails when told to.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { recordOf, type Truth } from './truth.js'

/** What the next page can be made to do. */
export type VendorFault =
  | 'reset before'
  | 'reset mid body'
  | 'server error'
  | 'throttled'
  | 'cut body'
  | 'cut JSON'
  | 'page twice'
  | 'empty page'

export interface Vendor {
  port: number
  truth: Truth
  /** Pages that were asked for, in all. */
  readonly pages: number
  /** Records given beyond these come slowly, until more are allowed. Counted from the last call of `begin`. */
  allow: (records: number) => void
  begin: () => void
  /** How long so many records, less what was given since `begin`, take at most as slowly as they come now: read one page after the other. */
  slowMs: (records: number) => number
  /** The next pages fail so; answers when all of them have. */
  fail: (fault: VendorFault, times: number) => Promise<void>
  /** Takes back what has not failed yet. */
  relent: () => void
  stop: () => Promise<void>
}

const pageSize = 100
const slowMs = 700
const quickMs = 5

export async function startVendor(truth: Truth): Promise<Vendor> {
  let pages = 0
  let given = 0
  let allowed = Number.POSITIVE_INFINITY
  let faults: { fault: VendorFault; done: () => void }[] = []
  let nonce = 0

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    const filter = url.searchParams.get('filter') ?? ''
    if (url.pathname.startsWith('/api/accounts'))
      return sendJson(response, { data: [{ type: 'account', id: 'chaos', attributes: {} }], links: {} })
    if (!url.pathname.startsWith(`/api/${truth.stream}`) || filter.includes('suppression'))
      return sendJson(response, { data: [], links: { next: null } })
    const size = Math.min(pageSize, Number(url.searchParams.get('page[size]') ?? 20))
    const page = pageOf(truth, url, filter, size)
    const link = (at: number) => {
      const next = new URL(url)
      next.searchParams.set('page[cursor]', `${at}.${++nonce}`)
      return next.href
    }
    const body = (records: readonly unknown[], next: number | undefined) =>
      JSON.stringify({ data: records, links: { self: url.href, next: next === undefined ? null : link(next), prev: null } })
    // A look at the oldest record is no page of a walk.
    if (size === 1) return send(response, body(page.records, page.next))
    pages++
    const waitMs = given >= allowed ? slowMs : quickMs
    given += page.records.length
    const failing = faults.shift()
    setTimeout(() => {
      if (!failing) return send(response, body(page.records, page.next))
      answerBadly(response, failing.fault, {
        whole: body(page.records, page.next),
        // Only a walk that goes on can be led to the same place again.
        twice: body(page.records, page.next === undefined ? undefined : page.start),
        empty: body([], page.start),
      })
      failing.done()
    }, waitMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    truth,
    get pages() {
      return pages
    },
    allow: (records) => {
      allowed = records
    },
    begin: () => {
      given = 0
    },
    slowMs: (records) => (allowed === Number.POSITIVE_INFINITY ? 0 : Math.max(0, Math.ceil((records - given) / pageSize)) * slowMs),
    fail: async (fault, times) => {
      await Promise.all(Array.from({ length: times }, () => new Promise<void>((done) => faults.push({ fault, done }))))
    },
    relent: () => {
      for (const { done } of faults) done()
      faults = []
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Places are positions in the vendor's own order, so a record that moves to the end shifts nothing. */
function pageOf(truth: Truth, url: URL, filter: string, size: number): { records: unknown[]; start: number; next: number | undefined } {
  const bound = (operator: string) => {
    const match = new RegExp(`${operator}\\((?:updated|datetime),([^)]+)\\)`).exec(filter)
    return match ? Date.parse(match[1]!.replace(' ', '+')) / 1000 : undefined
  }
  const after = bound('greater-than')
  const from = bound('greater-or-equal') ?? (after === undefined ? undefined : after + 1)
  const end = position(truth, bound('less-than') ?? Number.POSITIVE_INFINITY)
  const cursor = url.searchParams.get('page[cursor]')
  const start = cursor === null ? position(truth, from ?? Number.NEGATIVE_INFINITY) : Number(cursor.split('.')[0])
  const records: unknown[] = []
  let at = start
  for (; at < end && records.length < size; at++) {
    const entry = truth.entries[at]!
    if (!entry.isGone) records.push(recordOf(truth, entry))
  }
  return { records, start, next: at < end ? at : undefined }
}

/** The first place whose time is `seconds` or later. */
function position({ entries }: Truth, seconds: number): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle]!.at < seconds) low = middle + 1
    else high = middle
  }
  return low
}

const type = { 'content-type': 'application/vnd.api+json' }

function send(response: ServerResponse, text: string): void {
  const body = Buffer.from(text)
  response.writeHead(200, { ...type, 'content-length': body.length })
  response.end(body)
}

const sendJson = (response: ServerResponse, value: unknown) => send(response, JSON.stringify(value))

function answerBadly(response: ServerResponse, fault: VendorFault, bodies: { whole: string; twice: string; empty: string }): void {
  const whole = Buffer.from(bodies.whole)
  const half = whole.subarray(0, whole.length >> 1)
  const error = (status: number, headers: Record<string, string>) => {
    response.writeHead(status, { ...type, ...headers })
    response.end(JSON.stringify({ errors: [{ code: 'chaos', title: 'Chaos', detail: 'This answer was made to fail.' }] }))
  }
  switch (fault) {
    case 'reset before':
      response.socket?.resetAndDestroy()
      return
    case 'reset mid body':
      response.writeHead(200, { ...type, 'content-length': whole.length })
      response.write(half, () => response.socket?.resetAndDestroy())
      return
    case 'cut body':
      // Ends the connection in good order, short of the announced length.
      response.writeHead(200, { ...type, 'content-length': whole.length, connection: 'close' })
      response.write(half, () => response.socket?.end())
      return
    case 'cut JSON':
      response.writeHead(200, { ...type, 'content-length': half.length })
      response.end(half)
      return
    case 'server error':
      error(500, {})
      return
    case 'throttled':
      error(429, { 'retry-after': '1' })
      return
    case 'page twice':
      send(response, bodies.twice)
      return
    case 'empty page':
      send(response, bodies.empty)
      return
  }
}
